import { type LintRemark, severityOf } from '../../model/lint.ts';

/** Reads lintian's output; lines that are no remark are passed over. */
export function parseLintian(output: string): readonly LintRemark[] {
  return output.split('\n').flatMap((line): LintRemark[] => {
    const [, letter = '', name = '', kind, tag, detail = ''] =
      /^([EWIPOXC]): (\S+)(?: (\w+))?: (\S+)\s*(.*)$/.exec(line) ?? [];
    if (tag === undefined) return [];
    const place = kind === 'source' ? placeIn(detail) : {};
    return [{ package: name, severity: severityOf(letter), tag, detail, ...place }];
  });
}

/** A source's remark ends with the file, and its line where that tells something: `[debian/rules:5]`. */
function placeIn(detail: string): Pick<LintRemark, 'place'> {
  const [, file, line] = /(?:^|\s)\[([^\s[\]]+?)(?::(\d+))?\]$/.exec(detail) ?? [];
  if (file === undefined) return {};
  // The changelog is built with an entry more than the change has.
  return { place: { file, ...(line === undefined || file === 'debian/changelog' ? {} : { line: Number(line) }) } };
}

/** The packages that lintian passed over because it could not read them: its exit code tells of other packages, too. */
export function unreadByLintian(output: string): readonly LintRemark[] {
  return output.split('\n').flatMap((line): LintRemark[] => {
    const [, name, why = ''] = /^Skipping (?:\.\/)?(\S+): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ package: name, severity: 'error', tag: 'cannot-be-read', detail: why }];
  });
}
