import { join } from 'node:path';
import type { MirrorContext, MirrorSet } from '../activities/mirror/types.ts';
import type { MirrorDeed, MirrorResult, PackageChanges } from '../pipelines/mirror/outcome.ts';
import { counted } from '../pipelines/report/words.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused, unavailable } from './fault.ts';
import { log, paint, print, table } from './output.ts';

export interface MirrorOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** What a mirror command works with: the set that was named, and where its state is kept. */
export interface MirrorWork {
  readonly set: MirrorSet;
  readonly context: MirrorContext;
}

/** @throws CommandError for a broken configuration, or a set that it does not have. */
export function openSet(name: string, options: MirrorOptions): MirrorWork {
  const { sets, context } = openSets(options);
  const set = sets.find((one) => one.name === name);
  if (set !== undefined) return { set, context };
  const known = sets.map((one) => one.name).join(', ') || 'none';
  throw misused(`there is no mirror set ${JSON.stringify(name)}; the configuration has: ${known}`);
}

interface OpenSets {
  readonly sets: readonly MirrorSet[];
  readonly context: MirrorContext;
  /** The configuration's file as it was named. */
  readonly file: string;
}

export function openSets(options: MirrorOptions): OpenSets {
  const config = readConfiguration({ file: options.config });
  const sets = Object.entries(config.mirrors).map(([name, set]) => ({ name, ...set }));
  const file = options.config ?? 'sluice.yaml';
  return { sets, file, context: { state: join(config.data, 'mirrors'), now: Date.now, log } };
}

/** Prints what a command came to, and ends with status 1 unless all is well. */
export async function conclude(work: Promise<MirrorResult>, options: MirrorOptions): Promise<void> {
  const result = await orUnavailable(work);
  print(result, renderResult, options);
  if (result.outcome !== 'committed' && result.outcome !== 'unchanged') throw failed();
}

/** Another command on the same data directory that does not end is status 3. */
export async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && error.name === 'Locked') throw unavailable(error.message);
    throw error;
  }
}

export function renderResult(result: MirrorResult): string {
  const { set, snapshot, outcome, hosts, packages, notes = [], checked } = result;
  const colour = outcome === 'committed' || outcome === 'unchanged' ? 'green' : 'red';
  const head = `${set}: ${paint(colour, describeDeed(result))}${snapshot === null ? '' : ` ${snapshot}`}`;
  const rows = Object.entries(hosts).map(([name, { outcome: went, phase, target, bytes, error }]) => [
    name,
    result.did === 'rehearsed' && phase === 'stage' && error === null ? 'would be sent' : went,
    phase,
    target ?? '-',
    String(bytes),
    error === null ? '' : `${error.code}: ${error.message}`,
  ]);
  const hostTable = table(['HOST', 'OUTCOME', 'PHASE', 'SHOWS', 'BYTES', 'ERROR'], rows);
  const seen = checked ? [`checked: ${checked.replaceAll('\n', '\n         ')}`] : [];
  return [head, hostTable, ...renderChanges(packages), ...seen, ...notes].join('\n');
}

/** What a command did, in the words of who asked for it. */
export function describeDeed({ did, outcome, hosts, snapshot }: MirrorResult): string {
  const well = outcome === 'committed' || outcome === 'unchanged';
  if (did === undefined || (!well && did !== 'verified' && did !== 'rehearsed')) return outcome;
  const total = (key: 'files' | 'bytes') => Object.values(hosts).reduce((sum, host) => sum + host[key], 0);
  const resumed = outcome === 'committed' ? 'resumed, and committed' : 'resumed';
  const rolledBack = outcome === 'committed' ? 'rolled back to' : 'unchanged: it shows already';
  const words: Readonly<Record<MirrorDeed, string>> = {
    rehearsed:
      total('files') === 0
        ? 'nothing to send'
        : `would send ${counted(total('files'), 'file')} (${counted(total('bytes'), 'byte')})`,
    queued: 'paused: the sync waits for it to be resumed; it shows',
    waiting: snapshot === null ? 'waits for its window' : 'waits for its window; it shows',
    paused: 'paused, showing',
    resumed: `${resumed}, showing`,
    verified: well ? 'verified' : 'not as it should be',
    mended: 'mended',
    'rolled-back': rolledBack,
  };
  if (well || did !== 'rehearsed') return words[did];
  return outcome === 'partial' ? 'would be partial' : 'would fail';
}

function renderChanges({ added, removed }: PackageChanges): string[] {
  const line = (sign: string) => (one: PackageChanges['added'][number]) =>
    `${sign} ${one.name} ${one.version} (${one.arch})`;
  return [...added.map(line('+')), ...removed.map(line('-'))];
}
