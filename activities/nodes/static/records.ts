import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { GivenMachine } from '../../../pipelines/nodes/machines.ts';
import { writeWhole } from '../../files/write.ts';
import type { GivenSettings } from './settings.ts';

const stateSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('clean'), since: z.number() }),
  z.object({
    ...{ state: z.literal('lent'), since: z.number(), build: z.string(), node: z.string() },
    ...{ holder: z.string().optional(), installation: z.string().nullable() },
  }),
  z.object({ state: z.literal('out'), since: z.number(), why: z.string() }),
]);

/** What is known of a machine; `since` in milliseconds since the epoch. */
export type GivenState = Readonly<z.infer<typeof stateSchema>>;

/** Reads what is known of a machine; null of one that nobody has cleaned yet. */
export async function readState(directory: string, name: string): Promise<GivenState | null> {
  const text = await readFile(join(directory, `${name}.json`), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : stateSchema.parse(JSON.parse(text));
}

/** Writes it so that it is known after a power failure, too. */
export async function writeState(directory: string, name: string, state: GivenState): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeWhole(join(directory, `${name}.json`), `${JSON.stringify(state)}\n`, { mode: 0o600 });
}

/** All machines as whoever lends them sees them. */
export function machinesAsLent(
  directory: string,
  machines: readonly Pick<GivenSettings, 'name' | 'labels'>[],
): Promise<readonly GivenMachine[]> {
  return Promise.all(
    machines.map(async ({ name, labels }) => {
      const state = await readState(directory, name);
      return { name, labels, ...(state?.state === 'out' ? { out: state.why } : {}) };
    }),
  );
}
