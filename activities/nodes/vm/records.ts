import { join } from 'node:path';
import { z } from 'zod';
import { localHost } from './hosts/local/host.ts';
import type { Host, Spot } from './hosts/port.ts';

/** What a host keeps of its machines, below one directory: each in a directory with a record, written last. */
export interface Places {
  readonly host: Host;
  /** Prepared memories, each with a frozen disk. */
  readonly snapshots: string;
  /** Machines that run, and what a killed worker has left. */
  readonly machines: string;
  /** Machines of jobs that have failed, as they were then: by build. */
  readonly kept: string;
}

export function placesIn(directory: string, host = localHost): Places {
  const place = (name: string) => join(directory, name);
  return { host, snapshots: place('snapshots'), machines: place('machines'), kept: place('kept') };
}

const hardwareSchema = z.object({ accelerator: z.enum(['kvm', 'tcg']), machine: z.string(), emulator: z.string() });

const snapshotSchema = z.object({
  id: z.string(),
  /** The name by which nodes ask for it. */
  image: z.string(),
  /** The image's directory: its disk is below the snapshot's, and our key is there. */
  from: z.string(),
  /** Whether its image is a whole disk, with a system that boots by itself; absent: it is not. */
  whole: z.boolean().optional(),
  /** The machine's key as it was saved: each machine that is restored gets its own at once. */
  hostKey: z.string(),
  hardware: hardwareSchema,
  cores: z.number(),
  memoryMiB: z.number(),
  /** Digest of what was done to it before it was saved; absent: nothing. */
  provision: z.string().optional(),
  /** Milliseconds since the epoch. */
  time: z.number(),
  /** Milliseconds that its boot took until it answered: what is saved by every restore. */
  bootMs: z.number(),
  /** SHA-256 of its memory and its disk; absent: an older preparation. */
  digests: z.object({ memory: z.string(), disk: z.string() }).optional(),
  /** What is wrong with it, once that is known. */
  damaged: z.string().optional(),
});

/** A saved machine. */
export type Snapshot = Readonly<z.infer<typeof snapshotSchema>>;

const machineSchema = z.object({
  id: z.string(),
  build: z.string(),
  /** The workflow that it was lent to, if any. */
  holder: z.string().optional(),
  installation: z.string().nullable(),
  name: z.string(),
  snapshot: z.string(),
  hostKey: z.string(),
  /** The build of whose kept machines it is one; absent: it is a new one. */
  kept: z.string().optional(),
});

/** A machine that was lent. */
export type MachineRecord = Readonly<z.infer<typeof machineSchema>>;

export function snapshotsIn({ host, snapshots }: Places): Promise<readonly Snapshot[]> {
  return readAll({ host, directory: snapshots }, 'snapshot.json', snapshotSchema);
}

export function machinesIn({ host, machines }: Places): Promise<readonly MachineRecord[]> {
  return readAll({ host, directory: machines }, 'machine.json', machineSchema);
}

const stepSchema = z.object({ number: z.number(), name: z.string() });

const keptSchema = z.object({
  build: z.string(),
  installation: z.string().nullable(),
  /** Milliseconds since the epoch. */
  time: z.number(),
  /** Each with its memory and disk in the directory of its number; the disk stands on that of the snapshot. */
  machines: z.array(z.object({ name: z.string(), snapshot: z.string(), hostKey: z.string() })),
  /** Where the test was by then; absent: it had no steps. */
  step: stepSchema.optional(),
  /** The steps after which they were saved before, each in the directory of its number below `steps`. */
  steps: z.array(stepSchema).optional(),
});

/** The machines of a job that has failed. */
export type Kept = Readonly<z.infer<typeof keptSchema>>;

export function keptIn({ host, kept }: Places): Promise<readonly Kept[]> {
  return readAll({ host, directory: kept }, 'kept.json', keptSchema);
}

/** Writes a record, which makes its directory count. */
export async function writeRecord({ host, directory }: Spot, name: string, record: object): Promise<void> {
  await host.files.write(join(directory, name), `${JSON.stringify(record)}\n`);
}

/** Directories without a record are still in the making, or already on their way out. */
async function readAll<T>({ host, directory }: Spot, name: string, schema: z.ZodType<T>): Promise<readonly T[]> {
  const found = await host.files.readEach(directory, name);
  return found.map((text) => schema.parse(JSON.parse(text)));
}
