import { readObjects } from './objects.ts';
import { parseTree } from './tree.ts';

/** A file of attributes: where it is, and its blob. */
interface AttributeFile {
  /** Without a slash at its end; empty for the root; a character for each byte. */
  readonly directory: string;
  readonly blob: string;
}

/** Bytes of one file. */
const largest = 1024 * 1024;

/** Git writes as many characters into each conflict as it is told to. */
const hugeMarkers = /\s+conflict-marker-size=\S{3,}/;

/** Git passes over it at the beginning of such a file. */
const byteOrderMark = '\xef\xbb\xbf';

/** What was found below a tree, by the tree's id: most trees of a commit are those of the commit before. */
const known = new Map<string, readonly AttributeFile[]>();
const mostKnown = 50_000;

/**
 * The lines of all `.gitattributes` of a tree as one file at its root would have them, deeper ones last; empty when
 * nothing in them is about merging. A character for each byte: patterns name files, which need not be UTF-8.
 *
 * @throws an error that names the tree when one cannot be read.
 */
export async function mergeAttributes(repo: string, tree: string): Promise<string> {
  const files = [...(await find(repo, tree))].sort((a, b) => depth(a) - depth(b));
  if (files.length === 0) return '';
  const objects = await readObjects(
    repo,
    files.map(({ blob }) => blob),
  );
  const texts = files.map(({ directory }, index) => {
    const content = objects[index]?.content ?? '';
    if (content.length > largest)
      throw new Error(`${place(directory)} is larger than ${largest} bytes: it is not read`);
    return content
      .replace(byteOrderMark, '')
      .split('\n')
      .flatMap((line) => rooted(line, directory));
  });
  const lines = texts.flat();
  return lines.some((line) => /\b(merge|binary|conflict-marker-size)\b/.test(line)) ? `${lines.join('\n')}\n` : '';
}

function place(directory: string): string {
  return directory === '' ? '.gitattributes' : `${directory}/.gitattributes`;
}

function depth({ directory }: AttributeFile): number {
  return directory === '' ? 0 : directory.split('/').length;
}

async function find(repo: string, tree: string): Promise<readonly AttributeFile[]> {
  const before = known.get(tree);
  if (before !== undefined) return before;
  const [object] = await readObjects(repo, [tree]);
  if (object?.type !== 'tree') throw new Error(`${repo} has no tree ${tree}`);
  const entries = parseTree(object, 'latin1');
  const own = entries.filter(({ mode, name }) => name === '.gitattributes' && mode.startsWith('100'));
  const folders = entries.filter(({ mode }) => mode === '40000');
  const below = await Promise.all(
    folders.map(async ({ id, name }) => {
      const found = await find(repo, id);
      return found.map(({ directory, blob }) => ({
        directory: directory === '' ? name : `${name}/${directory}`,
        blob,
      }));
    }),
  );
  const found = [...own.map(({ id }) => ({ directory: '', blob: id })), ...below.flat()];
  if (known.size >= mostKnown) known.clear();
  known.set(tree, found);
  return found;
}

/** A line of `.gitattributes` in a directory as the root's would have it (gitattributes(5)); nothing for a comment. */
function rooted(line: string, directory: string): string[] {
  const [, quoted, plain, attributes = ''] =
    /^[ \t\r]*(?:"((?:[^"\\]|\\.)*)"|([^ \t\r#"][^ \t\r]*))[ \t\r]+(.*?)[ \t\r]*$/.exec(line) ?? [];
  // As it stands between quotes.
  const pattern = quoted ?? plain?.replace(/[\\"]/g, '\\$&');
  if (pattern === undefined) return [];
  if (hugeMarkers.test(` ${attributes}`)) return rooted(line.replace(hugeMarkers, ''), directory);
  if (directory === '') return [line.replace(/^[ \t\r]+|[ \t\r]+$/g, '')];
  // Macros and exclusions are known to the root alone.
  if (pattern.startsWith('[attr]') || pattern.startsWith('!')) return [];
  const place = directory.replace(/[\\*?[]/g, '\\$&').replace(/[\\"]/g, '\\$&');
  const below = pattern.includes('/') ? pattern.replace(/^\//, '') : `**/${pattern}`;
  return [`"${place}/${below}" ${attributes}`];
}
