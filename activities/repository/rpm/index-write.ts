import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRepomd } from '../../../pipelines/formats/rpm/repodata.ts';
import { makeOpenDirectory } from '../../files/modes.ts';
import { changeLists, seal, unseal } from '../compose.ts';
import { insidePath } from '../names.ts';
import { type Piece, packPiece, writePieces } from '../pieces.ts';
import type { IndexChange, OpenLists, RepositorySettings, SignedRoot } from '../port.ts';
import { type Part, partOf, partsIn, partsOf, repomd } from './debug.ts';
import { elementForm, escaped, listTypes, placed } from './describe.ts';

const roots = { primary: 'metadata', filelists: 'filelists', other: 'otherdata' } as const;
const space = 'http://linux.duke.edu/metadata';
const spaces = {
  primary: `xmlns="${space}/common" xmlns:rpm="${space}/rpm"`,
  filelists: `xmlns="${space}/filelists"`,
  other: `xmlns="${space}/other"`,
} as const;
type ListType = (typeof listTypes)[number];

/** Writes `repodata` of each of the tree's repositories. */
export async function index(tree: string, settings: RepositorySettings, change: IndexChange): Promise<void> {
  const ofPart = (part: Part, path: string) => partOf(path, settings.debug) === part;
  for (const part of partsOf(settings)) {
    await writeRepository(join(tree, part), settings, {
      ...{ date: change.date, lists: listsOf(part, change.lists), extras: part === '' ? change.extras : [] },
      added: change.added.flatMap(({ key, texts }) => (ofPart(part, key) ? placed(texts, below(part, key)) : [])),
      gone: new Set([...change.gone].flatMap((path) => (ofPart(part, path) ? below(part, path) : []))),
    });
  }
}

function listsOf(part: Part, lists: OpenLists | null): OpenLists | null {
  return lists && new Map(listTypes.map((type) => [type, lists.get(`${part}${type}`) ?? []]));
}

function below(part: Part, path: string): string {
  return path.slice(part.length);
}

/** Under names that carry their checksums. */
async function writeRepository(tree: string, settings: RepositorySettings, change: IndexChange): Promise<void> {
  await makeOpenDirectory(join(tree, 'Packages'));
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
  await writeFile(join(tree, repomd), lines.join('\n'));
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
  const whole = [first, ...pieces, last].filter((piece) => piece !== undefined);
  const list = seal(whole);
  const path = `repodata/${list.sha256}-${type}.xml.gz`;
  writePieces(join(tree, path), whole);
  return [
    `  <data type="${type}">`,
    `    <checksum type="sha256">${list.sha256}</checksum>`,
    `    <open-checksum type="sha256">${list.plainSha256}</open-checksum>`,
    `    <location href="${path}"/>`,
    `    <timestamp>${revision}</timestamp>`,
    `    <size>${list.size}</size>`,
    `    <open-size>${list.plainSize}</open-size>`,
    '  </data>',
  ].join('\n');
}

/** The lists of a tree that was written here. */
export async function openLists(tree: string): Promise<OpenLists | null> {
  const lists = new Map<string, readonly Piece[]>();
  for (const part of await partsIn(tree)) {
    const own = await openPart(join(tree, part));
    if (own === null) return null;
    for (const [type, pieces] of own) lists.set(`${part}${type}`, pieces);
  }
  return lists;
}

async function openPart(tree: string): Promise<OpenLists | null> {
  const text = await readFile(join(tree, repomd), 'utf8').catch(() => null);
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

export function signedRoots(settings: RepositorySettings): readonly [SignedRoot, ...SignedRoot[]] {
  const rootOf = (part: Part): SignedRoot => {
    const root = `${part}${repomd}`;
    // zypper imports a key by itself only from here.
    return { root, detached: `${root}.asc`, clear: null, key: `${root}.key` };
  };
  const [own, ...others] = partsOf(settings);
  return [rootOf(own), ...others.map(rootOf)];
}
