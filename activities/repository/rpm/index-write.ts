import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRepomd } from '../../../pipelines/formats/rpm/repodata.ts';
import { changeLists, seal, unseal } from '../compose.ts';
import { insidePath } from '../names.ts';
import { type Piece, packPiece } from '../pieces.ts';
import type { IndexChange, OpenLists, RepositorySettings } from '../port.ts';
import { elementForm, escaped, listTypes } from './describe.ts';

const roots = { primary: 'metadata', filelists: 'filelists', other: 'otherdata' } as const;
const space = 'http://linux.duke.edu/metadata';
const spaces = {
  primary: `xmlns="${space}/common" xmlns:rpm="${space}/rpm"`,
  filelists: `xmlns="${space}/filelists"`,
  other: `xmlns="${space}/other"`,
} as const;
type ListType = (typeof listTypes)[number];

/** Writes `repodata`, under names that carry their checksums. */
export async function index(tree: string, settings: RepositorySettings, change: IndexChange): Promise<void> {
  await mkdir(join(tree, 'Packages'), { recursive: true });
  await mkdir(join(tree, 'repodata'), { recursive: true });
  const before = listTypes.map((type) => change.lists?.get(type) ?? []);
  const lists = await changeLists(before, change, elementForm);
  const revision = String(Math.floor(change.date.getTime() / 1000));
  const data: string[] = [];
  for (const [position, type] of listTypes.entries()) {
    data.push(await writeList(tree, { type, pieces: lists[position] ?? [], revision }));
  }
  for (const extra of change.extras) {
    await extra.place(tree);
    data.push(extra.entry);
  }
  const origin =
    settings.origin === '' ? [] : ['  <tags>', `    <repo>${escaped(settings.origin)}</repo>`, '  </tags>'];
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<repomd xmlns="${space}/repo" xmlns:rpm="${space}/rpm">`,
    `  <revision>${revision}</revision>`,
    ...origin,
    ...data,
    '</repomd>',
    '',
  ];
  await writeFile(join(tree, 'repodata/repomd.xml'), lines.join('\n'));
}

interface List {
  readonly type: ListType;
  readonly pieces: readonly Piece[];
  readonly revision: string;
}

/** Writes one list between its first and last lines, which are pieces of their own. */
async function writeList(tree: string, { type, pieces, revision }: List): Promise<string> {
  const count = pieces.reduce((sum, piece) => sum + piece.count, 0);
  const head = `<?xml version="1.0" encoding="UTF-8"?>\n<${roots[type]} ${spaces[type]} packages="${count}">\n`;
  const [first, last] = await Promise.all(
    [head, `</${roots[type]}>`].map((text) => packPiece('', 0, Buffer.from(text))),
  );
  const list = seal([first, ...pieces, last].filter((piece) => piece !== undefined));
  const path = `repodata/${list.sha256}-${type}.xml.gz`;
  await writeFile(join(tree, path), list.packed);
  return [
    `  <data type="${type}">`,
    `    <checksum type="sha256">${list.sha256}</checksum>`,
    `    <open-checksum type="sha256">${list.plainSha256}</open-checksum>`,
    `    <location href="${path}"/>`,
    `    <timestamp>${revision}</timestamp>`,
    `    <size>${list.packed.length}</size>`,
    `    <open-size>${list.plainSize}</open-size>`,
    '  </data>',
  ].join('\n');
}

/** The lists of a tree that was written here. */
export async function openLists(tree: string): Promise<OpenLists | null> {
  const text = await readFile(join(tree, rootIndex()), 'utf8').catch(() => null);
  if (text === null) return null;
  const { files } = parseRepomd(text);
  const lists = new Map<string, readonly Piece[]>();
  for (const type of listTypes) {
    const file = files.find((one) => one.type === type);
    if (file === undefined || file.checksumType !== 'sha256') return null;
    const packed = await readFile(join(tree, insidePath(file.path))).catch(() => null);
    const pieces = packed === null ? null : unseal(packed, file.checksum);
    if (pieces === null) return null;
    const filled = pieces.filter(({ count }) => count > 0);
    lists.set(type, filled);
  }
  return lists;
}

export function rootIndex(): string {
  return 'repodata/repomd.xml';
}

export function signatures(): { detached: string; clear: null } {
  return { detached: 'repodata/repomd.xml.asc', clear: null };
}
