import type { Command } from 'commander';
import type { Hold } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';
import { renderHolds } from './render-hold.ts';

/** Adds `hold list`. */
export function register(program: Command): void {
  addClientOptions(
    addCommand(program, 'hold list', {
      examples: ['sluice hold list', 'sluice hold list --json'],
      details: 'Lists what people want held, and the nodes that are held, each with the way to a shell there.',
    }),
  ).action(async (options: ClientOptions) => {
    const holds = await createClient(options).get<readonly Hold[]>('/api/holds');
    print(holds, (found) => renderHolds(found, Date.now()), options);
  });
}
