import { mkdir, readFile, rm } from 'node:fs/promises';
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
  return join(directory, `${name}.json`);
}
