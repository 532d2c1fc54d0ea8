import { parsePrimary } from '../../../pipelines/formats/rpm/repodata.ts';
import { openPiece } from '../pieces.ts';
import type { Found, ListedPackage, OpenLists } from '../port.ts';
import { elements } from './describe.ts';
import { list, listed } from './index-read.ts';

/** Names that are looked for one by one; for more, the list is read as a whole. */
const few = 16;

/** How many packages the lists name, and those of some names. */
export async function find(tree: string, lists: OpenLists, names: ReadonlySet<string>): Promise<Found> {
  const pieces = lists.get('primary') ?? [];
  const count = pieces.reduce((sum, piece) => sum + piece.count, 0);
  if (names.size > few) return { count, packages: (await list(tree)).filter(({ name }) => names.has(name)) };
  const wanted = [...names].map((name) => `<name>${name}</name>`);
  const found: ListedPackage[] = [];
  for (const piece of pieces) {
    const text = openPiece(piece);
    if (!wanted.some((name) => text.includes(name))) continue;
    const some = elements(text.toString('utf8')).filter((one) => wanted.some((name) => one.includes(name)));
    found.push(...parsePrimary(`<metadata>${some.join('')}</metadata>`).map(listed));
  }
  return { count, packages: found.filter(({ name }) => names.has(name)) };
}
