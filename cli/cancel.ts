import type { Command } from 'commander';
import type { Acted } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';

/** Adds `cancel`. */
export function register(program: Command): void {
  addClientOptions(addCommand(program, 'cancel', { examples: ['sluice cancel build-deb-8d1f0c2e3f2a9c10'] }))
    .argument('<build>', 'the id of a running build, as `sluice builds` lists it')
    .action(async (build: string, options: ClientOptions) => {
      const done = await createClient(options).post<Acted>('/api/cancel', { build });
      print(done, () => `build ${build} is being cancelled`, options);
    });
}
