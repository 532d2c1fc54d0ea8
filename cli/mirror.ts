import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { MirrorDeed, MirrorResult, PackageChanges } from '../pipelines/mirror/outcome.ts';
import type { MirrorLine, MirrorWish } from '../pipelines/mirror/wish.ts';
import { counted } from '../pipelines/report/words.ts';
import type { ApiClient } from './client.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused, unavailable } from './fault.ts';
import { log, paint, print, table } from './output.ts';
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
  const [result] = await onSets<T>(name, wish, options);
  if (result === undefined) throw failed(`nothing came of ${wish.deed} on ${name}`);
  return result;
}

/** The same on all sets, where none is named. */
export async function onSets<T extends MirrorResult>(
  name: string | undefined,
  wish: MirrorWish,
  options: MirrorOptions,
): Promise<readonly T[]> {
  const server = await findServer(options);
  if (server !== undefined) return there(server, { ...(name === undefined ? {} : { set: name }), wish });
  const { data, mirrors } = readConfiguration({ file: options.config });
  const known = Object.keys(mirrors);
  const sets = Object.entries(mirrors).flatMap(([one, set]) =>
    name === undefined || name === one ? [{ ...set, name: one }] : [],
  );
  if (name !== undefined && sets.length === 0)
    throw misused(
      `there is no mirror set ${JSON.stringify(name)}; the configuration has: ${known.join(', ') || 'none'}`,
    );
  const { doOnMirrors } = await import('../activities/mirror/deeds.ts');
  const context = { state: join(data, 'mirrors'), now: Date.now, log };
  return Promise.all(sets.map((set) => doOnMirrors(set, context, wish) as Promise<T>)).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'Locked') throw unavailable(error.message);
    throw error;
  });
}

interface Asked {
  readonly set?: string;
  readonly wish: MirrorWish;
}

/** Shows how it goes at the server, line by line. */
async function there<T>(server: ApiClient, asked: Asked): Promise<readonly T[]> {
  const answer = createInterface({ input: await server.download('/api/mirrors', asked) });
  try {
    for await (const line of answer) {
      const { log: said, results, locked, error }: MirrorLine = line === '' ? {} : JSON.parse(line);
      if (said !== undefined) log(said);
      if (locked !== undefined) throw unavailable(locked);
      if (error !== undefined) throw failed(error);
      if (results !== undefined) return results as readonly T[];
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
  if (result.outcome !== 'committed' && result.outcome !== 'unchanged') throw failed();
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
