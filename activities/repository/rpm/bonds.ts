import { join } from 'node:path';
import type { Bond } from '../../../pipelines/formats/format.ts';
import { bondsIn } from '../../../pipelines/formats/rpm/bonds.ts';
import { readPacked } from '../files.ts';
import type { Description } from '../port.ts';
import { ofParts, primaryOf } from './index-read.ts';

export async function bonds(tree: string): Promise<readonly Bond[]> {
  return ofParts(tree, async (at) => bondsIn(await readPacked(join(at, await primaryOf(at)))));
}

export function bondOf({ texts: [text = ''] }: Pick<Description, 'texts'>): readonly Bond[] {
  return bondsIn(`<metadata>${Buffer.from(text, 'latin1').toString()}</metadata>`);
}
