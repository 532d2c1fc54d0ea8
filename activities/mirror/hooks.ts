import type { MirrorResult } from '../../pipelines/mirror/outcome.ts';
import { counted } from '../../pipelines/model/words.ts';
import { run } from '../process/run.ts';
import type { Base } from './command.ts';
import { MirrorError, type MirrorSet } from './types.ts';

/** What a hook is told. */
interface Facts {
  readonly snapshot: string;
  /** The snapshot before; null when there was none. */
  readonly previous: string | null;
  readonly hosts: readonly string[];
}

/** Lines of what a hook printed that are kept. */
const lastLines = 20;

/** Runs the set's command ahead of a transaction; answers with why nothing is to be sent, unless it ended with 0. */
export async function runBefore(base: Base, facts: Facts): Promise<MirrorError | null> {
  const why = await runHook(base, 'before', facts);
  return why === null ? null : new MirrorError('hook', `hooks.before ${why}: nothing was sent`);
}

/**
 * Runs the set's command after its hosts have come to show another state. What the mirrors show stays, however it ends;
 * one that failed, or was never begun because the process was killed, runs with the next sync.
 *
 * @returns the result, with what went wrong
 */
export async function runAfter(base: Base, result: MirrorResult): Promise<MirrorResult> {
  const { set, state } = base;
  const committed = await state.committed();
  if (set.hooks?.after === undefined || committed === null) return result;
  const { snapshot } = committed;
  const previous = (await state.told())?.snapshot ?? null;
  const moved = Object.values(result.hosts).some(({ outcome }) => outcome === 'committed');
  if (!moved && previous === snapshot) return result;
  const hosts = Object.entries(result.hosts).flatMap(([name, { target }]) => (target === snapshot ? [name] : []));
  const failed = await runHook(base, 'after', { snapshot, previous, hosts });
  await state.saveTold({ snapshot: failed === null ? snapshot : previous, failed });
  return failed === null ? result : { ...result, notes: [...(result.notes ?? []), sayFailed(failed)] };
}

/** What whoever looks at a set should know of its last hook. */
export function sayFailed(failed: string): string {
  return `warning: hooks.after ${failed}: the mirrors stay as they are, and it runs again with the next sync`;
}

/** @returns how it ended, when it was not well. */
async function runHook({ set, context }: Base, name: 'before' | 'after', facts: Facts): Promise<string | null> {
  const command = set.hooks?.[name];
  if (set.hooks === undefined || command === undefined) return null;
  const { timeout } = set.hooks;
  const { code, stdout, stderr, timedOut } = await run('sh', ['-c', command], {
    ...{ cwd: '/', env: environmentOf(set, name, facts), timeout: timeout * 1_000, endsWithUs: true },
    ...(context.signal ? { signal: context.signal } : {}),
  });
  for (const line of tail(`${stdout}\n${stderr}`)) context.log(`hooks.${name}: ${line}`);
  if (timedOut) return `took more than ${counted(timeout, 'second')}`;
  return code === 0 ? null : `ended with ${code}${quote(tail(stderr).at(-1))}`;
}

function environmentOf(set: MirrorSet, name: string, { snapshot, previous, hosts }: Facts): Record<string, string> {
  return {
    SLUICE_HOOK: name,
    SLUICE_SET: set.name,
    SLUICE_SOURCE: set.source,
    SLUICE_SNAPSHOT: snapshot,
    SLUICE_PREVIOUS: previous ?? '',
    SLUICE_HOSTS: hosts.join(' '),
  };
}

function tail(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-lastLines);
}

function quote(line: string | undefined): string {
  return line === undefined ? '' : ` (${line.trim().slice(0, 200)})`;
}
