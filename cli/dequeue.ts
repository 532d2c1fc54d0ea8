import type { Command } from 'commander';
import type { Acted } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';

interface Options extends ClientOptions {
  readonly pipeline: string;
  readonly change: string;
}

/** Adds `dequeue`. */
export function register(program: Command): void {
  const examples = ['sluice dequeue --pipeline gate --change 7'];
  const details =
    'Takes a change out of a pipeline. Into one that merges it comes back by a vote, a label, a comment such as `recheck`, ' +
    'its reopening, a new patch set or `sluice enqueue`, not by whatever else happens to it.';
  addClientOptions(addCommand(program, 'dequeue', { examples, details }))
    .requiredOption('--pipeline <name>', 'the pipeline')
    .requiredOption('--change <id>', 'the change')
    .action(async (options: Options) => {
      const { pipeline, change } = options;
      const done = await createClient(options).post<Acted>('/api/dequeue', { pipeline, change });
      print(done, () => `${change} has left ${pipeline}`, options);
    });
}
