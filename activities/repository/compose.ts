import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { openPiece, type Piece, packPiece, readPieces } from './pieces.ts';
import { RepositoryRefusal } from './port.ts';

/**
 * What a distribution's own tool says of one package file: a text for each of the lists that name it. Texts are bytes
 * in the form of characters (latin1).
 */
interface Entry {
  /** The file's path in the repository, by which lists are sorted. */
  readonly key: string;
  readonly texts: readonly string[];
}

/** How the entries of a list stand in its text. */
export interface ListForm {
  /** Takes the text of a piece apart; the first list's entries know their key. */
  entries(text: string, list: number): readonly string[];
  key(text: string): string;
}

/** The pieces of lists that name the same packages in the same order: one for DEB, three for RPM. */
export type Lists = readonly (readonly Piece[])[];

export interface ListChange {
  readonly added: readonly Entry[];
  /** Keys. */
  readonly gone: ReadonlySet<string>;
}

/** Entries of a piece, on average: what is packed again for one that changes. */
const usual = 256;

/**
 * Changes lists where entries come or go; all other pieces stay as they are. What comes out depends on the entries
 * alone, not on the way that led to them.
 *
 * @throws RepositoryRefusal when an entry is there that is to be added; Error when a piece is damaged
 */
export async function changeLists(before: Lists, change: ListChange, form: ListForm): Promise<Lists> {
  const firsts = (before[0] ?? []).map(({ first }) => first);
  const touched = touchedPieces(firsts, change);
  const added = byPiece(firsts, change.added);
  const result: Piece[][] = before.map(() => []);
  // One chunk at a time: where many packages come, all pieces of a large list are opened.
  let chunk: Entry[] = [];
  const close = async () => {
    const packed = chunk.length === 0 ? [] : await pack(chunk, before.length);
    for (const [list, piece] of packed.entries()) result[list]?.push(piece);
    chunk = [];
  };
  for (let at = 0; at < Math.max(firsts.length, 1); at += 1) {
    if (!touched.has(at)) {
      await close();
      for (const [list, pieces] of before.entries()) result[list]?.push(...pieces.slice(at, at + 1));
      continue;
    }
    const entries = [...openEntries(before, at, form), ...(added.get(at) ?? [])];
    for (const entry of inOrder(entries.filter(({ key }) => !change.gone.has(key)))) {
      if (entry.key === chunk.at(-1)?.key) throw new RepositoryRefusal(`${entry.key} is there twice`);
      if (crc32(entry.key) % usual === 0) await close();
      chunk.push(entry);
    }
  }
  await close();
  return result;
}

/** Which piece an entry is in, or belongs into. */
function placeOf(firsts: readonly string[], key: string): number {
  let [low, high] = [0, firsts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((firsts[middle] ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return Math.max(low - 1, 0);
}

function touchedPieces(firsts: readonly string[], { added, gone }: ListChange): ReadonlySet<number> {
  const touched = new Set([...added.map(({ key }) => key), ...gone].map((key) => placeOf(firsts, key)));
  // Where the entry goes that a piece begins with, what is left belongs to the piece before.
  for (const at of [...touched].sort((a, b) => b - a)) {
    for (let place = at; place > 0 && gone.has(firsts[place] ?? ''); place -= 1) touched.add(place - 1);
  }
  return touched;
}

function byPiece(firsts: readonly string[], added: readonly Entry[]): ReadonlyMap<number, readonly Entry[]> {
  return Map.groupBy(added, ({ key }) => placeOf(firsts, key));
}

/** The texts of some entries of a list that knows their keys; only the pieces are opened that would have them. */
export function* textsAt(pieces: readonly Piece[], keys: ReadonlySet<string>, form: ListForm): Generator<string> {
  const firsts = pieces.map(({ first }) => first);
  const places = new Set([...keys].map((key) => placeOf(firsts, key)));
  for (const [at, piece] of pieces.entries()) {
    if (!places.has(at)) continue;
    for (const text of form.entries(openPiece(piece).toString('latin1'), 0)) if (keys.has(form.key(text))) yield text;
  }
}

/** The entries of one piece of each list, side by side. */
function openEntries(lists: Lists, at: number, form: ListForm): Entry[] {
  const texts = lists.flatMap((pieces, list) => {
    const piece = pieces[at];
    return piece === undefined ? [] : [form.entries(openPiece(piece).toString('latin1'), list)];
  });
  if (texts.some((some) => some.length !== texts[0]?.length)) throw new Error('the lists name different packages');
  return (texts[0] ?? []).map((text, position) => ({
    key: form.key(text),
    texts: texts.map((some) => some[position] ?? ''),
  }));
}

function inOrder(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function pack(chunk: readonly Entry[], lists: number): Promise<Piece[]> {
  const texts = Array.from({ length: lists }, (_, list) => chunk.map((entry) => entry.texts[list] ?? '').join(''));
  return Promise.all(texts.map((text) => packPiece(chunk[0]?.key ?? '', chunk.length, Buffer.from(text, 'latin1'))));
}

/** A list whose bytes are known. */
export interface SealedList {
  /** Of the pieces one behind the other. */
  readonly size: number;
  readonly sha256: string;
  /** Of the text, unpacked. */
  readonly plainSize: number;
  readonly plainSha256: string;
}

/** Says what pieces are together; each is unpacked once and read back as it will be by others. @param take gets the plain text */
export function seal(pieces: readonly Piece[], take: (text: Buffer) => void = () => {}): SealedList {
  // What stands before the first change was hashed when the list was read.
  const same = unchanged(pieces);
  const plain = pieces[same - 1]?.known?.hash.copy() ?? createHash('sha256');
  const whole = createHash('sha256');
  for (const [position, piece] of pieces.entries()) {
    const text = openPiece(piece);
    if (position >= same) plain.update(text);
    whole.update(piece.packed);
    take(text);
  }
  return {
    size: pieces.reduce((sum, { packed }) => sum + packed.length, 0),
    sha256: whole.digest('hex'),
    plainSize: pieces.reduce((sum, { length }) => sum + length, 0),
    plainSha256: plain.digest('hex'),
  };
}

/** How many pieces at its beginning a list has as it was read: all that stood before them is there, too. */
function unchanged(pieces: readonly Piece[]): number {
  let end = 0;
  const first = pieces.findIndex(({ length, known }) => {
    end += length;
    return known?.end !== end;
  });
  return first < 0 ? pieces.length : first;
}

/** The same pieces with what they hold at hand, where `text` is the list unpacked. @param sha256 of that */
export function withPlain(pieces: readonly Piece[], text: Buffer, sha256: string): readonly Piece[] {
  const whole = createHash('sha256');
  let end = 0;
  const opened = pieces.map((piece) => {
    const plain = text.subarray(end, end + piece.length);
    end += piece.length;
    return { ...piece, plain, known: { end, hash: whole.update(plain).copy() } };
  });
  return end === text.length && whole.digest('hex') === sha256 ? opened : pieces;
}

/** The pieces of a list that is on disk as its root index says; null when it is damaged, or was made otherwise. */
export function unseal(packed: Buffer, sha256: string): Piece[] | null {
  return createHash('sha256').update(packed).digest('hex') === sha256 ? readPieces(packed) : null;
}
