import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { must } from '../../activities/process/run.ts';
import type { MirrorResult } from '../../pipelines/mirror/outcome.ts';

/** A place that rsync and Sluice both reach. */
export interface Place {
  readonly kind: 'local' | 'daemon' | 'ssh';
  /** The directory itself, for what is looked at afterwards. */
  readonly root: string;
  /** As Sluice's configuration has it. */
  readonly host: Readonly<Record<string, string>>;
  /** As rsync takes it, with the options for the way there. */
  readonly target: string;
  readonly options: readonly string[];
  /** The root as `--link-dest` names it from a directory in it. */
  readonly base: string;
}

const kept = ['--recursive', '--links', '--perms', '--times', '--delete', '--stats', '--no-human-readable'];

/** Sends a tree with rsync alone. @returns bytes of the files that were sent. */
export async function rsync({ target, options }: Place, tree: string, more: readonly string[] = [], into = 'plain') {
  const { stdout } = await must('rsync', [...kept, ...options, ...more, `${tree}/`, `${target}/${into}/`]);
  return Number(/^Total transferred file size: (\d+)/m.exec(stdout)?.[1]);
}

export interface Sync {
  readonly result: MirrorResult;
  /** The most memory that was held, in MiB. */
  readonly memory: number;
}

/** A set of mirrors with a data directory of its own, synchronised by Sluice's command line. */
export async function openSet(
  directory: string,
  { source, layout }: { readonly source: string; readonly layout: string },
  places: readonly Place[],
): Promise<() => Promise<Sync>> {
  const hosts = Object.fromEntries(places.map(({ host }, at) => [`m${at}`, host]));
  const file = join(directory, 'sluice.yaml');
  const mirrors = { deb: { source, layout, heads: ['stable'], init: true, hosts } };
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ data: join(directory, 'data'), mirrors }));
  const program = join(import.meta.dirname, '../../sluice');
  return () => measured(program, ['mirror', 'sync', 'deb', '--json', '--config', file]);
}

async function measured(program: string, args: readonly string[]): Promise<Sync> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new AbortController();
  const peak = peakOf(child.pid ?? 0, ended.signal);
  const text: Buffer[] = [];
  for await (const some of child.stdout) text.push(some);
  ended.abort();
  const result: MirrorResult = JSON.parse(Buffer.concat(text).toString());
  if (result.outcome !== 'committed' && result.outcome !== 'unchanged') throw new Error(JSON.stringify(result));
  return { result, memory: await peak };
}

async function peakOf(pid: number, signal: AbortSignal): Promise<number> {
  let most = 0;
  try {
    for await (const _ of every(50, undefined, { signal })) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      most = Math.max(most, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return Math.round(most / 1024);
}
