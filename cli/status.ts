import type { Command } from 'commander';
import type { StatusView } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { parseLimit, printRecords } from './look-back.ts';
import { paint, worded } from './output.ts';
import { renderQueues, usualItems } from './queue-tree.ts';

/** Adds `status`. */
export function register(program: Command): void {
  const command = addCommand(program, 'status', { examples: ['sluice status', 'sluice status --json'] });
  addClientOptions(command)
    .option('--limit <number>', 'draw at most so many items of each queue', parseLimit, usualItems)
    .action(async (options: ClientOptions & { readonly limit: number }) => {
      const view = await createClient(options).get<StatusView>('/api/status');
      printRecords(view, () => renderStatus(view, options.limit), options);
    });
}

/** Queues, the connections whose events are not handled, or not heard, and the projects that are not there. */
export function renderStatus(view: StatusView, most = usualItems): string {
  const behind = (view.occurrences ?? []).map(({ connection, waiting, dead }) => {
    const parts = [
      ...(waiting === 0 ? [] : [`${events(waiting)} to be handled`]),
      ...(dead === 0 ? [] : [paint('red', `${events(dead)} given up: the server’s log says why`)]),
    ];
    return `${paint('bold', connection)}  ${parts.join(', ')}`;
  });
  const unheard = (view.unheard ?? []).map(
    ({ connection, reason }) => `${paint('bold', connection)}  ${paint('red', `is not heard: ${worded(reason)}`)}`,
  );
  const absent = (view.absent ?? []).map(({ text }) => paint('red', worded(text)));
  return [renderQueues(view, most), ...behind, ...unheard, ...absent].join('\n');
}

function events(count: number): string {
  return `${count} ${count === 1 ? 'event' : 'events'}`;
}
