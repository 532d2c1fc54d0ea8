import { type LintRemark, severityOf } from '../../model/lint.ts';

/** Reads rpmlint's output; lines that are no remark are passed over. */
export function parseRpmlint(output: string): readonly LintRemark[] {
  return output.split('\n').flatMap((line): LintRemark[] => {
    const [, file = '', letter = '', tag, detail = ''] = /^(\S+): ([EWI]): (\S+)\s*(.*)$/.exec(line) ?? [];
    if (tag === undefined || file === '(none)') return [];
    const [, name = file, at] = /^(.*?)(?::(\d+))?$/.exec(file) ?? [];
    const on = { file: name, ...(at === undefined ? {} : { line: Number(at) }) };
    const place = name.endsWith('.spec') ? { place: on } : {};
    return [{ package: name, severity: severityOf(letter), tag, detail, ...place }];
  });
}

/** The packages that rpmlint could not read; it checks none after the first one. */
export function unreadByRpmlint(output: string): readonly LintRemark[] {
  return output.split('\n').flatMap((line): LintRemark[] => {
    const [, name, why = ''] = /^\(none\): E: .*error while reading (?:\.\/)?(\S+): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ package: name, severity: 'error', tag: 'cannot-be-read', detail: why }];
  });
}
