import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseControl } from '../../../pipelines/formats/deb/control.ts';
import type { Found, ListedPackage, OpenLists } from '../port.ts';
import { distributionOf, list, listedBinary, listedSource } from './index-read.ts';

/** Names that are looked for one by one; for more, the lists are read as a whole. */
const few = 16;

/** How many packages the lists name, and those of some names. */
export async function find(tree: string, lists: OpenLists, names: ReadonlySet<string>): Promise<Found> {
  const binary = [...lists.keys()].filter((name) => name.includes('/binary-'));
  if (names.size > few || binary.length > 1) {
    // A package for all architectures stands in several lists and counts once.
    const all = await list(tree);
    return { count: all.length, packages: all.filter(({ name }) => names.has(name)) };
  }
  const dist = await distributionOf(tree);
  const found: ListedPackage[] = [];
  for (const name of lists.keys()) found.push(...(await findIn(join(tree, dist, name), names)));
  const count = [...lists.values()].flat().reduce((sum, piece) => sum + piece.count, 0);
  return { count, packages: found };
}

async function findIn(list: string, names: ReadonlySet<string>): Promise<ListedPackage[]> {
  const text = await readFile(list);
  return [...names].flatMap((name) => {
    const line = `Package: ${name}\n`;
    const found: string[] = [];
    for (let at = text.indexOf(line); at >= 0; at = text.indexOf(line, at + line.length)) {
      // Where the list begins, or where a paragraph does.
      if (at > 0 && text.toString('latin1', at - 2, at) !== '\n\n') continue;
      found.push(text.toString('utf8', at, text.indexOf('\n\n', at)));
    }
    return found.flatMap((one) => parseControl(one)).map(list.endsWith('Sources') ? listedSource : listedBinary);
  });
}
