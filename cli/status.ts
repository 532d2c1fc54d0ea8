import type { Command } from 'commander';
import type { StatusView } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { printRecords } from './look-back.ts';
import { renderQueues } from './queue-tree.ts';

/** Adds `status`. */
export function register(program: Command): void {
  const command = addCommand(program, 'status', { examples: ['sluice status', 'sluice status --json'] });
  addClientOptions(command).action(async (options: ClientOptions) => {
    printRecords(await createClient(options).get<StatusView>('/api/status'), renderQueues, options);
  });
}
