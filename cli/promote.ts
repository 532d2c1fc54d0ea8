import type { Command } from 'commander';
import type { Acted } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';

interface Options extends ClientOptions {
  readonly pipeline: string;
}

/** Adds `promote`. */
export function register(program: Command): void {
  const examples = ['sluice promote --pipeline gate 7 tinycdb/9'];
  addClientOptions(addCommand(program, 'promote', { examples }))
    .argument('<change...>', 'changes of one queue, in the order that they are to have at its head')
    .requiredOption('--pipeline <name>', 'the pipeline')
    .action(async (changes: readonly string[], options: Options) => {
      const { pipeline } = options;
      const done = await createClient(options).post<Acted>('/api/promote', { pipeline, changes });
      print(done, () => `at the head of ${pipeline}: ${changes.join(', ')}`, options);
    });
}
