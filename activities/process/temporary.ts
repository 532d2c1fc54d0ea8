import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { begunAt } from './begun.ts';

/**
 * Where process numbers mean what they mean here: one boot of one machine, and one container. Directories of others may
 * stand beside ours, and nobody here can tell whether their makers live.
 */
const realm = createHash('sha256').update(`${bootId()} ${namespace()}`).digest('hex').slice(0, 8);

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function namespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

/** How a directory of this process begins its name. @param kind tells what it is for: `sluice-` and a word */
export function temporaryPrefix(kind: string): string {
  return join(tmpdir(), `${kind}-${realm}-${process.pid}-${begunAt(process.pid)}-`);
}

let swept: Promise<void> | undefined;

/**
 * Makes a directory that others can tell to be left over once this process is gone. Before its first one, it removes
 * what others have left.
 *
 * @param kind as above
 */
export async function makeTemporary(kind: string): Promise<string> {
  swept ??= removeLeftovers();
  await swept;
  return mkdtemp(temporaryPrefix(kind));
}

/** Removes what processes have left that ended without a word, and nothing of one that lives. */
export async function removeLeftovers(): Promise<void> {
  const ours = new RegExp(`^sluice-[a-z]+-${realm}-(\\d+)-(\\d+)-`);
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const [, pid, begun] = ours.exec(name) ?? [];
    if (pid === undefined || begunAt(Number(pid)) === Number(begun)) continue;
    const found = await lstat(join(tmpdir(), name)).catch(() => null);
    // Everybody may make a name in the system's own directory.
    if (found?.isDirectory() && found.uid === process.getuid?.()) {
      // What cannot be removed is no reason to do nothing.
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
    }
  }
}
