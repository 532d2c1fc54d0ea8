import { type Packing, pack } from '../nodes/pack.ts';

/** An archive of an export. Files that share their content on this disk are each in it whole: their reader takes no links. */
export function packExport(root: string): Promise<Packing> {
  return pack(root, ['--hard-dereference']);
}
