import type { Command } from 'commander';
import type { LockStatus, MirrorStatus } from '../activities/mirror/inspect.ts';
import { counted } from '../pipelines/model/words.ts';
import { moment } from '../web/time.ts';
import { addCommand } from './command.ts';
import { failed } from './fault.ts';
import { type MirrorOptions, onSets, renderResult } from './mirror.ts';
import { print, worded } from './output.ts';
import { addServerOrStackOptions } from './server-or-stack.ts';

/** Adds `mirror status`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'mirror status', {
      examples: ['sluice mirror status', 'sluice mirror status deb --json'],
      details: 'Without a set: all of them; with --json a list then. An interrupted transaction is ended first.',
    }),
  )
    .argument('[set]', 'a set of `mirrors:` in the configuration')
    .action(async (name: string | undefined, options: MirrorOptions) => {
      const { results: all, fault } = await onSets<MirrorStatus>(name, { deed: 'status' }, options);
      const none = `no mirror sets are configured: add \`mirrors:\` to ${options.config ?? 'sluice.yaml'}`;
      if (fault !== undefined && all.length === 0) throw fault;
      const render = () => (all.length === 0 ? worded(none) : all.map(renderStatus).join('\n\n'));
      print(name === undefined ? all : all[0], render, options);
      if (fault !== undefined) throw fault;
      if (all.some(({ outcome }) => outcome !== 'unchanged')) throw failed();
    });
}

function renderStatus(status: MirrorStatus): string {
  const lines = Object.entries(status.hosts).flatMap(([name, { error, links, snapshots, lock }]) => [
    ...Object.entries(links).map(([path, text]) => `${name}: ${path} -> ${text}`),
    // Of one that cannot be asked nothing is known.
    ...(error === null ? [`${name}: ${describeSnapshots(snapshots)}`] : []),
    ...(lock === null ? [] : [`${name}: ${describeLock(lock)}`]),
  ]);
  const removed = Object.values(status.retained?.removed ?? {}).flat().length;
  const retained =
    status.retained === null
      ? []
      : [`retention ran last at ${moment(status.retained.time)} UTC: ${counted(removed, 'snapshot')} went`];
  const paused = status.paused === null ? [] : [`paused since ${moment(status.paused)} UTC`];
  if (status.queued && status.paused !== null) paused.push('a sync waits for it to be resumed');
  else if (status.queued) paused.push('a sync waits');
  if (status.shut !== null) paused.push(worded(status.shut));
  const hook = status.hook === null ? [] : [worded(status.hook)];
  return [renderResult(status), ...hook, ...paused, ...retained, ...lines].join('\n');
}

/** Snapshots that are named; the others are in JSON. */
const named = 8;

function describeSnapshots(snapshots: readonly string[]): string {
  if (snapshots.length === 0) return 'nothing was synced yet';
  const newest = snapshots.toSorted().reverse().slice(0, named).join(', ');
  const more = snapshots.length > named ? `, and ${snapshots.length - named} earlier ones (--json names them)` : '';
  return `${counted(snapshots.length, 'snapshot')}: ${newest}${more}`;
}

function describeLock({ holder, age, renewed, left, abandoned }: LockStatus): string {
  const since = age === null ? '' : ` for ${age} s`;
  const then = abandoned
    ? 'a command of this data directory that was cut off: the next one takes it at once'
    : left > 0
      ? `taken over in ${left} s unless it is renewed`
      : 'it ran out: the next command takes it over';
  return `locked by ${holder}${since}, renewed ${renewed} s ago; ${then}`;
}
