import { isObjectId } from './names.ts';

/** What `git merge-tree --write-tree -z --name-only --messages` says. */
export interface MergeTreeAnswer {
  readonly tree: string;
  /** Paths in conflict, as the changes have them; empty when there is none. */
  readonly files: readonly string[];
}

/**
 * Parses the answer (git-merge-tree(1), "OUTPUT"): the tree, the paths in conflict, an empty field, and messages, each
 * a number of paths, the paths, a kind and a text.
 *
 * @returns null when there is no tree: then git has merged nothing.
 */
export function parseMergeTree(output: string): MergeTreeAnswer | null {
  const [tree = '', ...rest] = output.split('\0');
  if (!isObjectId(tree)) return null;
  const end = rest.indexOf('');
  const names = end < 0 ? rest : rest.slice(0, end);
  const groups = end < 0 ? [] : readGroups(rest.slice(end + 1));
  return { tree, files: [...new Set(names.map((name) => plainName(name, groups)))] };
}

/** The paths of each message. */
function readGroups(fields: readonly string[]): (readonly string[])[] {
  const groups: (readonly string[])[] = [];
  for (let at = 0; at < fields.length; ) {
    const count = Number(fields[at]);
    if (!Number.isInteger(count) || count <= 0) break;
    groups.push(fields.slice(at + 1, at + 1 + count));
    at += count + 3;
  }
  return groups;
}

/** Git moves a file that is in the way to `NAME~COMMIT`, a path that is nowhere: the message about it has both. */
function plainName(name: string, groups: readonly (readonly string[])[]): string {
  const related = groups.filter((paths) => paths.includes(name)).flat();
  return related.find((path) => name.startsWith(`${path}~`)) ?? name;
}
