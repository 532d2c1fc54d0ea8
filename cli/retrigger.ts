import type { Command } from 'commander';
import type { Acted } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';

interface Options extends ClientOptions {
  readonly change: string;
  readonly pipeline?: string;
}

const details = `While the change is queued, the new result takes the place of the old one there. Afterwards it is a
run of its own, marked as such.`;

/** Adds `retrigger`. */
export function register(program: Command): void {
  const examples = ['sluice retrigger build-deb --change 7'];
  addClientOptions(addCommand(program, 'retrigger', { examples, details }))
    .argument('<job>', 'the job to run again')
    .requiredOption('--change <id>', 'the change that it ran for')
    .option('--pipeline <name>', 'in this pipeline only')
    .action(async (job: string, options: Options) => {
      const { change, pipeline } = options;
      const done = await createClient(options).post<Acted>('/api/retrigger', { job, change, pipeline });
      const how = done.alone ? ', by itself: the change is in no queue, so no vote changes and nothing merges' : '';
      print(done, () => `${job} runs again for ${change}${how}`, options);
    });
}
