import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CopyPlan, isWhole, type Manifest } from '../../pipelines/mirror/manifest.ts';
import type { MirrorHost } from './host.ts';
import { listed, publishedModes, withTemporary } from './place.ts';
import { listSnapshot, type Transferred, transferredOf } from './send.ts';

/**
 * Copies a snapshot by hard links. Where nobody listens any more, what it says on the way ends it, so that nothing is
 * made behind the back of who comes next.
 */
const copyScript = `
cd -- "$1" && [ ! -e "$3" ] && cp -alv -- "$2" "$3" | awk 'NR % 500 == 0 { print NR; fflush() }'`;

interface Copying {
  readonly tree: string;
  readonly manifest: Manifest;
  readonly snapshot: string;
  readonly plan: CopyPlan;
}

/** What went over a copy, and whether that is all there should be. */
export interface SentCopy extends Transferred {
  readonly whole: boolean;
}

/**
 * Makes a snapshot on the host as a copy of another one, and sends what differs. What came of it is listed, so that it
 * needs no trust in the copy.
 *
 * @returns null where the host has no shell for it, and nothing was sent.
 */
export async function sendCopy(
  host: MirrorHost,
  { tree, manifest, snapshot, plan: { base, sent, gone } }: Copying,
): Promise<SentCopy | null> {
  const { set, transport } = host;
  if (transport.shell === null) return null;
  const said = await transport.shell(copyScript, [transport.directory(set.snapshots), base, snapshot]);
  if (said === null) return null;
  return withTemporary(async (directory) => {
    const list = join(directory, 'paths');
    await writeFile(list, listed([...sent, ...gone]));
    // Sizes and times of what differs may be the same.
    const kept = ['--links', '--perms', '--times', '--ignore-times', '--force', '--delete-missing-args'];
    const told = ['--stats', '--no-human-readable', '--out-format=%i %n'];
    const limits = [publishedModes, '--from0', `--files-from=${list}`];
    const target = `${transport.at(`${set.snapshots}/${snapshot}`)}/`;
    const report = await transport.rsync([...kept, ...told, ...limits, `${tree}/`, target]);
    return { ...transferredOf(report), whole: isWhole(manifest, await listSnapshot(host, snapshot)) };
  });
}
