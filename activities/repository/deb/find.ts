import { parseControl } from '../../../pipelines/formats/deb/control.ts';
import { textsAt } from '../compose.ts';
import { openPiece, type Piece } from '../pieces.ts';
import type { ListedPackage, OpenLists } from '../port.ts';
import { paragraphForm } from './describe.ts';
import { listedBinary, listedSource } from './index-read.ts';

/** How many packages the lists name. One for all architectures stands in several lists and counts once. */
export function count(lists: OpenLists): number {
  const all = [...lists.values()].flat().reduce((sum, piece) => sum + piece.count, 0);
  const binary = [...lists].filter(([name]) => name.includes('/binary-')).map(([, pieces]) => pieces);
  if (binary.length < 2) return all;
  const shared = binary.map((pieces) => pieces.flatMap(pathsForAll));
  return all - shared.flat().length + new Set(shared.flat()).size;
}

function pathsForAll(piece: Piece): string[] {
  const text = openPiece(piece).toString('latin1');
  return [...text.matchAll(/^Filename: (.*_all\.u?deb)$/gm)].map(([, path = '']) => path);
}

/** Those of some names. */
export function find(lists: OpenLists, names: ReadonlySet<string>): ListedPackage[] {
  const inPiece = (list: string) => (piece: Piece) => read(list, textsOf(piece, names));
  return unique([...lists].flatMap(([list, pieces]) => pieces.flatMap(inPiece(list))));
}

/** Those at some paths. */
export function findAt(lists: OpenLists, paths: ReadonlySet<string>): ListedPackage[] {
  return unique([...lists].flatMap(([list, pieces]) => read(list, textsAt(pieces, paths, paragraphForm))));
}

function unique(packages: readonly ListedPackage[]): ListedPackage[] {
  return [...new Map(packages.map((one) => [one.path, one])).values()];
}

/** A text is a part of its piece's: no more of it is kept than is asked for. */
function read(list: string, texts: Iterable<string>): ListedPackage[] {
  const listed = list.endsWith('Sources') ? listedSource : listedBinary;
  return Array.from(texts, (text) => parseControl(Buffer.from(text, 'latin1').toString()).map(listed)).flat();
}

const first = 'Package: ';

/** Names that are looked for in a piece before it is taken apart. */
const few = 16;

/** Paragraphs that begin with one of the names: those of lists that were composed here begin with a name. */
function textsOf(piece: Piece, names: ReadonlySet<string>): string[] {
  const bytes = openPiece(piece);
  if (names.size <= few && ![...names].some((name) => bytes.includes(`${first}${name}\n`))) return [];
  const text = bytes.toString('latin1');
  const found: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n\n', at);
    if (text.startsWith(first, at) && names.has(text.slice(at + first.length, text.indexOf('\n', at)))) {
      found.push(text.slice(at, end < 0 ? text.length : end));
    }
    at = end < 0 ? text.length : end + 2;
  }
  return found;
}
