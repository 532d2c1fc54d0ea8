import type { Command } from 'commander';
import type { Hold } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';

/** Adds `hold delete`. */
export function register(program: Command): void {
  const examples = ['sluice hold delete 5d0c7f1e'];
  const details = 'Nothing more is held for it, and the nodes that are held go at once.';
  addClientOptions(addCommand(program, 'hold delete', { examples, details }))
    .argument('<id>', 'the hold’s id, as `sluice hold list` shows it')
    .action(async (id: string, options: ClientOptions) => {
      const deleted = await createClient(options).post<Hold>('/api/holds/delete', { id });
      print(deleted, render, options);
    });
}

function render({ id, held }: Hold): string {
  const builds = held.map(({ build }) => build).join(', ');
  return `hold ${id} is deleted${builds === '' ? '' : `; the nodes of ${builds} are being removed`}`;
}
