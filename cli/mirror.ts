import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import {
  type HostResult,
  isWell,
  type MirrorDeed,
  type MirrorResult,
  noSet,
  type PackageChanges,
  type SetsDone,
  setsDone,
} from '../pipelines/mirror/outcome.ts';
import type { MirrorLine, MirrorWish } from '../pipelines/mirror/wish.ts';
import { counted } from '../pipelines/model/words.ts';
import type { ApiClient } from './client.ts';
import { readConfiguration } from './configuration.ts';
import { type CommandError, failed, misused, unavailable } from './fault.ts';
import { log, paint, print, table, worded } from './output.ts';
import { findServer, type ServerOrStackOptions } from './server-or-stack.ts';

export type MirrorOptions = ServerOrStackOptions;

/**
 * Does something on a set of mirrors: by the server, or on this machine's data directory.
 *
 * @throws CommandError for a broken configuration, a set that it does not have (2), or another command on the same data
 * directory that does not end (3)
 */
export async function onSet<T extends MirrorResult>(
  name: string,
  wish: MirrorWish,
  options: MirrorOptions,
): Promise<T> {
  const { results, fault } = await onSets<T>(name, wish, options);
  if (results[0] === undefined) throw fault ?? failed(`nothing came of ${wish.deed} on ${name}`);
  return results[0];
}

/** What came of sets. */
export interface OnSets<T> {
  readonly results: readonly T[];
  /** Of the others nothing came. */
  readonly fault: CommandError | undefined;
}

/** The same on all sets, where none is named. */
export async function onSets<T extends MirrorResult>(
  name: string | undefined,
  wish: MirrorWish,
  options: MirrorOptions,
): Promise<OnSets<T>> {
  const server = await findServer(options);
  if (server !== undefined) return there(server, { ...(name === undefined ? {} : { set: name }), wish });
  const { data, mirrors } = readConfiguration({ file: options.config });
  const sets = Object.entries(mirrors).flatMap(([one, set]) =>
    name === undefined || name === one ? [{ ...set, name: one }] : [],
  );
  if (name !== undefined && sets.length === 0) throw misused(noSet(name, Object.keys(mirrors)));
  // What is known of a hundred thousand files outlives the space of young objects, which would grow to 128 MiB with it.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { doOnMirrors } = await import('../activities/mirror/deeds.ts');
  const context = { state: join(data, 'mirrors'), now: Date.now, log };
  const ends = await Promise.allSettled(sets.map((set) => doOnMirrors(set, context, wish)));
  return told(
    setsDone(
      sets.map((set) => set.name),
      ends,
    ),
  );
}

function told<T>({ results, locked, error }: SetsDone): OnSets<T> {
  const fault = locked !== undefined ? unavailable(locked) : error !== undefined ? failed(error) : undefined;
  return { results: results as readonly unknown[] as readonly T[], fault };
}

interface Asked {
  readonly set?: string;
  readonly wish: MirrorWish;
}

/** Shows how it goes at the server, line by line. */
async function there<T>(server: ApiClient, asked: Asked): Promise<OnSets<T>> {
  const answer = createInterface({ input: await server.download('/api/mirrors', asked) });
  try {
    for await (const line of answer) {
      const { log: said, results = [], ...end }: MirrorLine = line === '' ? {} : JSON.parse(line);
      if (said !== undefined) log(said);
      else if (line !== '') return told({ results, ...end });
    }
  } catch (error) {
    // What `fetch` throws where an answer breaks off.
    if (!(error instanceof TypeError)) throw error;
  }
  throw unavailable(`the server at ${server.url} has ended: \`sluice mirror status\` says what came of it`);
}

/** Prints what a command came to, and ends with status 1 unless all is well. */
export async function conclude(name: string, wish: MirrorWish, options: MirrorOptions): Promise<void> {
  const result = await onSet(name, wish, options);
  print(result, renderResult, options);
  if (!isWell(result)) throw failed();
}

export function renderResult(result: MirrorResult): string {
  const { set, snapshot, hosts, packages, notes = [], checked } = result;
  const colour = isWell(result) ? 'green' : 'red';
  const head = `${set}: ${paint(colour, describeDeed(result))}${snapshot === null ? '' : ` ${snapshot}`}`;
  const rows = Object.entries(hosts).map(([name, host]) => [
    name,
    result.did === 'rehearsed' && isBehind(host) ? `would ${host.files === 0 ? 'turn' : 'be sent'}` : host.outcome,
    host.phase,
    host.target ?? '-',
    String(host.bytes),
    host.error === null ? '' : `${host.error.code}: ${host.error.message}`,
  ]);
  const hostTable = table(['HOST', 'OUTCOME', 'PHASE', 'SHOWS', 'BYTES', 'ERROR'], rows);
  const seen = checked ? [`checked: ${checked.replaceAll('\n', '\n         ')}`] : [];
  return [head, worded(hostTable), ...renderChanges(packages), ...[...seen, ...notes].map(worded)].join('\n');
}

/** Of a rehearsal: whether a sync would change what the host shows; it may have all files of an earlier snapshot. */
function isBehind({ phase, error }: HostResult): boolean {
  return phase === 'stage' && error === null;
}

/** What a command did, in the words of who asked for it. */
export function describeDeed({ did, outcome, hosts, snapshot }: MirrorResult): string {
  const well = isWell({ outcome });
  if (did === undefined || (!well && did !== 'verified' && did !== 'rehearsed')) return outcome;
  const total = (key: 'files' | 'bytes') => Object.values(hosts).reduce((sum, host) => sum + host[key], 0);
  const resumed = outcome === 'committed' ? 'resumed, and committed' : 'resumed';
  const rolledBack = outcome === 'committed' ? 'rolled back to' : 'unchanged: it shows already';
  const words: Readonly<Record<MirrorDeed, string>> = {
    rehearsed:
      total('files') === 0
        ? `nothing to send${Object.values(hosts).some(isBehind) ? ', and links to turn' : ''}`
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
