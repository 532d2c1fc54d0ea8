import { type LintRemark, severityOf } from '../../model/lint.ts';

/** Reads rpmlint's output; lines that are no remark are passed over. */
export function parseRpmlint(output: string): readonly LintRemark[] {
  return output.split('\n').flatMap((line): LintRemark[] => {
    const [, file = '', letter = '', tag, detail = ''] = /^(\S+): ([EWI]): (\S+)\s*(.*)$/.exec(line) ?? [];
    if (tag === undefined) return [];
    return [{ package: file.replace(/:\d+$/, ''), severity: severityOf(letter), tag, detail }];
  });
}
