import type { Command } from 'commander';
import type { SnapshotList } from '../server/api/types.ts';
import { ago } from '../web/time.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { duration, paint, print, table } from './output.ts';
import { untilWords } from './render-hold.ts';

/** Adds `vm list`. */
export function register(program: Command): void {
  addClientOptions(
    addCommand(program, 'vm list', {
      examples: ['sluice vm list', 'sluice vm list --json'],
      details:
        'Machines of new jobs are restored from the `current` snapshot of their platform. An `unfit` one was saved by ' +
        'another QEMU, machine type or accelerator than this host has now.',
    }),
  ).action(async (options: ClientOptions) => {
    const list = await createClient(options).get<SnapshotList>('/api/machines');
    print(list, (found) => render(found, Date.now()), options);
  });
}

const colours = { current: 'green', older: 'dim', unfit: 'yellow' } as const;

/** @param now milliseconds since the epoch */
function render(list: SnapshotList, now: number): string {
  const { snapshots, kept, held, missing, missingOn, failed, silent = [] } = list;
  // Where all are on the server's machine, nobody need be told.
  const several = missingOn !== undefined || new Set([...snapshots, ...kept].map(({ host }) => host)).size > 1;
  const rows = snapshots.map(({ id, platform, host, state, time, bytes, bootMs, machines, reason }) => [
    ...(several ? [host] : []),
    platform,
    id,
    paint(colours[state], state),
    ago(time, now),
    size(bytes),
    duration(bootMs / 1000),
    String(machines),
    reason ?? '',
  ]);
  const header = [
    ...(several ? ['HOST'] : []),
    'PLATFORM',
    'SNAPSHOT',
    'STATE',
    'PREPARED',
    'SIZE',
    'BOOT TOOK',
    'MACHINES',
    'WHY',
  ];
  return [
    snapshots.length === 0 ? 'There are no snapshots.' : table(header, rows),
    ...(kept.length === 0
      ? []
      : ['', 'Machines of failed jobs, kept for `sluice vm debug`:', tableOf(kept, now, several)]),
    ...(held.length === 0 ? [] : ['', 'Machines of failed jobs, held as they are:', heldTable(held, now)]),
    ...(missingOn === undefined
      ? missing.map((platform) => `${platform} has no snapshot: sluice vm prepare ${platform}`)
      : missingOn.map(({ platform, host }) => `${platform} has no snapshot on ${host} yet`)),
    ...silent.map(({ reason }) => paint('yellow', reason)),
    ...failed.map(({ platform, host, time, reason }) =>
      paint(
        'red',
        `the last preparation of ${platform}${several ? ` on ${host}` : ''}, ${ago(time, now)}, failed: ${reason.replace(/\s*\n\s*/g, '; ')}`,
      ),
    ),
  ].join('\n');
}

function tableOf(kept: SnapshotList['kept'], now: number, several: boolean): string {
  const rows = kept.map(({ build, host, nodes, time, until, bytes, open, steps = [] }) => [
    ...(several ? [host] : []),
    ...[build, nodes.join(', '), ago(time, now), duration(Math.max(0, until - now) / 1000), size(bytes)],
    steps.join(', '),
    open ? 'debugged now' : '',
  ]);
  return table([...(several ? ['HOST'] : []), 'BUILD', 'NODES', 'KEPT', 'FOR ANOTHER', 'SIZE', 'STEPS', ''], rows);
}

function heldTable(held: SnapshotList['held'], now: number): string {
  const rows = held.flatMap(({ hold, build, host, nodes, time, until }) =>
    nodes.map(({ name, command }) => [hold, build, name, ago(time, now), untilWords(until, now), host, command]),
  );
  return table(['HOLD', 'BUILD', 'NODE', 'HELD', 'STAYS', 'HOST', 'SHELL, THERE'], rows);
}

export function size(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
