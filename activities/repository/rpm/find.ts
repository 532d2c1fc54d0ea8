import { parsePrimary } from '../../../pipelines/formats/rpm/repodata.ts';
import { textsAt } from '../compose.ts';
import { openPiece, type Piece } from '../pieces.ts';
import type { ListedPackage, OpenLists } from '../port.ts';
import { elementForm, elements } from './describe.ts';
import { listed } from './index-read.ts';

/** How many packages the lists name. */
export function count(lists: OpenLists): number {
  return primary(lists).reduce((sum, piece) => sum + piece.count, 0);
}

/** Names that are looked for in a piece before it is taken apart. */
const few = 16;

/** Those of some names. */
export function find(lists: OpenLists, names: ReadonlySet<string>): ListedPackage[] {
  const wanted = names.size > few ? null : [...names].map((name) => `<name>${name}</name>`);
  const texts = primary(lists).flatMap((piece) => {
    const text = openPiece(piece);
    if (wanted !== null && !wanted.some((name) => text.includes(name))) return [];
    return elements(text.toString('latin1')).filter((one) => names.has(/<name>([^<]*)<\/name>/.exec(one)?.[1] ?? ''));
  });
  return read(texts);
}

/** Those at some paths. */
export function findAt(lists: OpenLists, paths: ReadonlySet<string>): ListedPackage[] {
  return read(textsAt(primary(lists), paths, elementForm));
}

function primary(lists: OpenLists): readonly Piece[] {
  return lists.get('primary') ?? [];
}

function read(texts: readonly string[]): ListedPackage[] {
  const text = Buffer.from(`<metadata>${texts.join('')}</metadata>`, 'latin1').toString();
  return parsePrimary(text).map(listed);
}
