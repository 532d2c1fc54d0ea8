import type { LineComment } from '../model/line-comment.ts';
import type { LintReport } from '../model/lint.ts';

/**
 * What a checker found that names a file of the sources: new errors and warnings. A spec file is named without its
 * folders, for the checker saw it in a source package.
 */
export function lintComments({ remarks, platform }: LintReport): readonly LineComment[] {
  return remarks.flatMap(({ place, severity, tag, detail, new: isNew }): LineComment[] => {
    if (place === undefined || !isNew || (severity !== 'error' && severity !== 'warning')) return [];
    const message = `${severity}: ${tag} ${withoutPlace(detail)}`.trim();
    return [{ ...place, level: severity, message, platform }];
  });
}

/**
 * What lintian says without the place at its end: the comment is there, and a line that has moved makes it no other
 * one, so that hosts which were told of it are not told again.
 */
function withoutPlace(detail: string): string {
  return detail.replace(/(?:^|\s+)\[[^\s[\]]+?(?::\d+)?\]$/, '');
}

/** Comments of an item's jobs that one report may have. */
const most = 100;

/**
 * The comments that are about files of a change, each once: what several platforms say of the same line is one.
 *
 * @param files what the change touches
 */
export function commentsOn(files: readonly string[], comments: readonly LineComment[]): readonly LineComment[] {
  const own = comments.flatMap((one) => {
    const file = fileIn(files, one.file);
    return file === undefined ? [] : [{ ...one, file }];
  });
  const same = Map.groupBy(own, ({ file, line, message }) => JSON.stringify([file, line ?? 0, message]));
  return [...same.values()].slice(0, most).flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { line, platform: _, ...comment } = first;
    const platforms = new Set([first, ...others].flatMap(({ platform }) => platform ?? []));
    const where = platforms.size === 0 ? '' : ` (${[...platforms].join(', ')})`;
    return [{ ...comment, ...(line ? { line } : {}), message: comment.message + where }];
  });
}

function fileIn(files: readonly string[], named: string): string | undefined {
  if (files.includes(named)) return named;
  if (named.includes('/') || !named.endsWith('.spec')) return undefined;
  const specs = files.filter((file) => file.endsWith(`/${named}`));
  return specs.length === 1 ? specs[0] : undefined;
}
