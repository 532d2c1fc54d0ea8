import type { Command } from 'commander';
import type { Hold } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';
import { renderHolds } from './render-hold.ts';

/** Adds `hold show`. */
export function register(program: Command): void {
  const examples = ['sluice hold show 5d0c7f1e'];
  addClientOptions(addCommand(program, 'hold show', { examples }))
    .argument('<id>', 'the hold’s id, as `sluice hold list` shows it')
    .action(async (id: string, options: ClientOptions) => {
      const hold = await createClient(options).get<Hold>(`/api/holds/${encodeURIComponent(id)}`);
      print(hold, (found) => renderHolds([found], Date.now()), options);
    });
}
