import { type LintRemark, severityOf } from '../../model/lint.ts';

/** Reads lintian's output; lines that are no remark are passed over. */
export function parseLintian(output: string): readonly LintRemark[] {
  return output.split('\n').flatMap((line): LintRemark[] => {
    const [, letter = '', name = '', tag, detail = ''] = /^([EWIPOXC]): (\S+)(?: \w+)?: (\S+)\s*(.*)$/.exec(line) ?? [];
    return tag === undefined ? [] : [{ package: name, severity: severityOf(letter), tag, detail }];
  });
}

/** The packages that lintian passed over because it could not read them: its exit code tells of other packages, too. */
export function unreadByLintian(output: string): readonly LintRemark[] {
  return output.split('\n').flatMap((line): LintRemark[] => {
    const [, name, why = ''] = /^Skipping (?:\.\/)?(\S+): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ package: name, severity: 'error', tag: 'cannot-be-read', detail: why }];
  });
}
