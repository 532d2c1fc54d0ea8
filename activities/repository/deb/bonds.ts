import { join } from 'node:path';
import { bondsIn } from '../../../pipelines/formats/deb/bonds.ts';
import type { Bond } from '../../../pipelines/formats/format.ts';
import { readPacked } from '../files.ts';
import type { Description } from '../port.ts';
import { packageLists } from './index-read.ts';

export async function bonds(tree: string): Promise<readonly Bond[]> {
  const lists = await packageLists(tree);
  const found = await Promise.all(lists.map(async ({ path }) => bondsIn(await readPacked(join(tree, path)))));
  // One for all architectures stands in several lists.
  return [...new Map(found.flat().map((one) => [`${one.name} ${one.version} ${one.arch}`, one])).values()];
}

export function bondOf({ texts: [text = ''] }: Pick<Description, 'texts'>): readonly Bond[] {
  return bondsIn(Buffer.from(text, 'latin1').toString());
}
