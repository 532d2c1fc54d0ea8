import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../../../files/write.ts';

const schema = z.object({
  /** `stopped`: its worker has not begun, or has ended, and nobody knows how the host is. */
  state: z.enum(['open', 'away', 'stopped']),
  /** Milliseconds since the epoch. */
  since: z.number(),
  /** Of one that is away: the reason. */
  why: z.string().default(''),
});

/** How a host elsewhere is: what its worker knows, for whoever lends its machines. */
export type HostState = Readonly<z.infer<typeof schema>>;

/** What is kept of hosts until they are left: `HOST.json`. */
const ending = '.json';

/** The hosts that somebody has begun with, in this run or an earlier one, and that nobody has left. */
export async function hostsWithState(directory: string): Promise<readonly string[]> {
  const files = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  // Those that begin with a dot are being written.
  const states = files.filter((file) => file.endsWith(ending) && !file.startsWith('.'));
  return states.map((file) => file.slice(0, -ending.length));
}

/** Null where its worker has never begun, or the host was left. */
export async function readHostState(directory: string, name: string): Promise<HostState | null> {
  const text = await readFile(fileOf(directory, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : schema.parse(JSON.parse(text));
}

export async function writeHostState(directory: string, name: string, state: HostState): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeWhole(fileOf(directory, name), `${JSON.stringify(state)}\n`, { mode: 0o600 });
}

export async function removeHostState(directory: string, name: string): Promise<void> {
  await rm(fileOf(directory, name), { force: true });
}

function fileOf(directory: string, name: string): string {
  return join(directory, `${name}${ending}`);
}
