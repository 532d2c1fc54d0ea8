import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { OutputFiles } from '../../pipelines/model/output-files.ts';
import { counted } from '../../pipelines/model/words.ts';
import type { Machine } from '../nodes/port.ts';
import { takeLive } from '../nodes/take-live.ts';
import type { BlobStore } from '../ports.ts';
import type { Session } from './session.ts';
import { outputPath } from './variables.ts';
import { user } from './workspace.ts';

export type OutputStore = Pick<BlobStore, 'put' | 'url'>;

/** Of all machines of a job together. */
const most = { files: 2_000, bytes: 256 * 1024 * 1024 };
/** Milliseconds for the copy from one machine. */
const patience = 300_000;

/** Prints how many regular files there are, and their bytes. */
const look = `find "$0" -type f -printf '%s\\n' 2>/dev/null | awk '{ n += 1; b += $1 } END { printf "%.0f %.0f", n, b }'`;

/** What was kept of what a job's programs left. */
export interface KeptOutput {
  readonly artifacts: readonly Artifact[];
  /** Below which its files are; absent: there are none. */
  readonly url?: string;
  /** Why it was not kept. */
  readonly remark?: string;
}

/**
 * Keeps the files that programs left to be kept, of the machine where they ran and of each node that they reached, under
 * the node's name. Whatever becomes of it, the verdict stands.
 *
 * @throws when the job is cancelled
 */
export async function keepOutput(store: OutputStore, session: Session): Promise<KeptOutput> {
  const { machine, nodes, context } = session;
  const places = [{ prefix: '', machine }, ...nodes.map(({ name, machine }) => ({ prefix: `${name}/`, machine }))];
  const files: OutputFiles['files'] = [];
  const remarks: string[] = [];
  const left = { ...most };
  for (const place of places) {
    const what = `${place.prefix}zuul-output`;
    // A node that is gone takes nothing from the others.
    try {
      const { kept, lost } = await keepFrom(store, { session, left, ...place });
      files.push(...kept);
      if (lost > 0) remarks.push(`${counted(lost, 'file')} in ${what} could not be read by the job's user`);
    } catch (error) {
      context.signal.throwIfAborted();
      remarks.push(`what is in ${what} is not kept: ${(error as Error).message}`);
    }
  }
  const list = await listed(store, files).catch((error: Error) => {
    remarks.push(`what is in zuul-output is not kept: ${error.message}`);
    return {};
  });
  return { artifacts: [], ...list, ...(remarks.length > 0 && { remark: remarks.join('; ') }) };
}

interface Keeping {
  readonly session: Session;
  readonly machine: Machine;
  /** What comes before each path. */
  readonly prefix: string;
  readonly left: { files: number; bytes: number };
}

interface Kept {
  readonly kept: OutputFiles['files'];
  /** How many files are there and were not taken. */
  readonly lost: number;
}

async function keepFrom(store: OutputStore, { session, machine, prefix, left }: Keeping): Promise<Kept> {
  const { signal, workdir } = session.context;
  // Everybody may read what is kept.
  await session.secrets.scrub(machine);
  const found = await machine.exec(['sh', '-c', look, outputPath], { user, signal, timeout: patience });
  const [files = 0, bytes = 0] = found.output.trim().split(' ').map(Number);
  if (found.timedOut) throw new Error(`it could not be looked at within ${patience / 1000} s`);
  if (files === 0) return { kept: [], lost: 0 };
  if (files > left.files || bytes > left.bytes) throw new Error(tooMuch(files, bytes));
  const to = await mkdtemp(join(workdir, 'output-'));
  try {
    // Directories count there as well.
    const limits = { files: left.files + most.files, bytes: left.bytes };
    const taken = await takeLive(machine, { from: outputPath, to, limits, user, signal, timeout: patience });
    const kept: OutputFiles['files'] = [];
    for (const { path, size } of taken) {
      kept.push({ path: `${prefix}${path}`, ...(await store.put({ path: join(to, path), size })) });
      left.files -= 1;
      left.bytes -= size;
    }
    return { kept, lost: Math.max(0, files - taken.length) };
  } finally {
    await rm(to, { recursive: true, force: true });
  }
}

function tooMuch(files: number, bytes: number): string {
  const there = `${counted(files, 'file')} of ${Math.ceil(bytes / 1024 / 1024)} MiB`;
  return `there are ${there}, and a job may leave ${most.files} of ${most.bytes / 1024 / 1024} MiB: pack them`;
}

async function listed(store: OutputStore, files: OutputFiles['files']): Promise<Partial<KeptOutput>> {
  if (files.length === 0) return {};
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const { digest } = await store.put(JSON.stringify({ files: sorted } satisfies OutputFiles));
  const url = `${store.url(digest, 'files')}/`;
  return { artifacts: [{ name: 'output', url, metadata: { type: 'output', files: files.length } }], url };
}
