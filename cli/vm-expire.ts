import type { Command } from 'commander';
import type { Expiry } from '../server/api/types.ts';
import { ago } from '../web/time.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { log, paint, print, table } from './output.ts';
import { size } from './vm-list.ts';

/** Adds `vm expire`. */
export function register(program: Command): void {
  addClientOptions(
    addCommand(program, 'vm expire', {
      examples: ['sluice vm expire'],
      details:
        'Removes the snapshots and the kept machines of failed jobs that are over `snapshots.keep` and `snapshots.maxSize` ' +
        'now, as a schedule does by itself. The newest of each platform stays, and so does what a machine stands on.',
    }),
  ).action(async (options: ClientOptions) => {
    const { removed, silent = [] } = await createClient(options).post<Expiry>('/api/machines/expire', {});
    print(removed, (all) => render(all, Date.now()), options);
    for (const { reason } of silent) log(paint('yellow', reason));
  });
}

/** @param now milliseconds since the epoch */
function render(removed: Expiry['removed'], now: number): string {
  if (removed.length === 0) return 'No snapshot is over the limits.';
  const rows = removed.map(({ platform, kind, id, time, bytes }) => {
    return [platform, kind === 'kept' ? `build ${id}` : id, ago(time, now), size(bytes)];
  });
  const freed = removed.reduce((sum, { bytes }) => sum + bytes, 0);
  return `${table(['PLATFORM', 'SNAPSHOT', 'SAVED', 'SIZE'], rows)}\nfreed ${size(freed)}`;
}
