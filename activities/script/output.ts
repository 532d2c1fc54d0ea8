import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { OutputFiles } from '../../pipelines/model/output-files.ts';
import { counted } from '../../pipelines/report/words.ts';
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
  try {
    const files: OutputFiles['files'] = [];
    const left = { ...most };
    for (const place of places) {
      for (const file of await keepFrom(store, { session, left, ...place })) files.push(file);
    }
    return files.length === 0 ? { artifacts: [] } : await listed(store, files);
  } catch (error) {
    context.signal.throwIfAborted();
    return { artifacts: [], remark: `what is in zuul-output is not kept: ${(error as Error).message}` };
  }
}

interface Keeping {
  readonly session: Session;
  readonly machine: Machine;
  /** What comes before each path. */
  readonly prefix: string;
  readonly left: { files: number; bytes: number };
}

async function keepFrom(store: OutputStore, keeping: Keeping): Promise<OutputFiles['files']> {
  const { machine, prefix, left } = keeping;
  const { signal, workdir } = keeping.session.context;
  const found = await machine.exec(['sh', '-c', look, outputPath], { user, signal, timeout: patience });
  const [files = 0, bytes = 0] = found.output.trim().split(' ').map(Number);
  if (files === 0) return [];
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
    return kept;
  } finally {
    await rm(to, { recursive: true, force: true });
  }
}

function tooMuch(files: number, bytes: number): string {
  const there = `${counted(files, 'file')} of ${Math.ceil(bytes / 1024 / 1024)} MiB`;
  return `there are ${there}, and a job may leave ${most.files} of ${most.bytes / 1024 / 1024} MiB: pack them`;
}

async function listed(store: OutputStore, files: OutputFiles['files']): Promise<KeptOutput> {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const { digest } = await store.put(JSON.stringify({ files: sorted } satisfies OutputFiles));
  const url = `${store.url(digest, 'files')}/`;
  return { artifacts: [{ name: 'output', url, metadata: { type: 'output', files: files.length } }], url };
}
