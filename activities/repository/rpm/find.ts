import { textsAt } from '../compose.ts';
import { openPiece, type Piece } from '../pieces.ts';
import type { ListedPackage, OpenLists } from '../port.ts';
import { type Part, partOf, partsOf } from './debug.ts';
import { elementForm, elements, namedIn } from './describe.ts';
import { listed } from './index-read.ts';

/** How many packages the lists name. */
export function count(lists: OpenLists): number {
  return parts.flatMap((part) => primary(lists, part)).reduce((sum, piece) => sum + piece.count, 0);
}

/** Names that are looked for in a piece before it is taken apart. */
const few = 16;

/** Those of some names. */
export function find(lists: OpenLists, names: ReadonlySet<string>): ListedPackage[] {
  const wanted = names.size > few ? null : [...names].map((name) => `<name>${name}</name>`);
  const textsOf = (piece: Piece) => {
    const text = openPiece(piece);
    if (wanted !== null && !wanted.some((name) => text.includes(name))) return [];
    return elements(text.toString('latin1')).filter((one) => names.has(/<name>([^<]*)<\/name>/.exec(one)?.[1] ?? ''));
  };
  return parts.flatMap((part) => read(part, primary(lists, part).flatMap(textsOf)));
}

/** Those at some paths. */
export function findAt(lists: OpenLists, paths: ReadonlySet<string>): ListedPackage[] {
  const debug = parts.every((part) => lists.has(`${part}primary`));
  return parts.flatMap((part) => {
    const own = [...paths].flatMap((path) => (partOf(path, debug) === part ? path.slice(part.length) : []));
    return read(part, textsAt(primary(lists, part), new Set(own), elementForm));
  });
}

const parts = partsOf({ debug: true });

function primary(lists: OpenLists, part: Part): readonly Piece[] {
  return lists.get(`${part}primary`) ?? [];
}

function read(part: Part, texts: Iterable<string>): ListedPackage[] {
  return namedIn(Array.from(texts, (text) => Buffer.from(text, 'latin1').toString())).map((one) => listed(one, part));
}
