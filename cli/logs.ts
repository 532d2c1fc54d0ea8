import type { Command } from 'commander';
import type { BuildView } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';

interface Options extends ClientOptions {
  readonly follow?: boolean;
  readonly name?: string;
}

const examples = ['sluice logs 3f2a9c10 --follow', 'sluice logs 3f2a9c10 --name build.log'];

/** Adds `logs`. */
export function register(program: Command): void {
  addClientOptions(addCommand(program, 'logs', { examples, details: 'With --json: which logs there are.' }))
    .argument('<build>', 'a build’s id, as `sluice builds` lists it')
    .option('--follow', 'as it is written, until the build ends')
    .option('--name <file>', 'this log; without, the first one')
    .action(async (build: string, options: Options) => {
      const client = createClient(options);
      const path = `/api/builds/${encodeURIComponent(build)}`;
      if (options.json) return print((await client.get<BuildView>(path)).logs, () => '', options);
      const query = new URLSearchParams({ follow: options.follow ? '1' : '0' });
      if (options.name !== undefined) query.set('name', options.name);
      for await (const text of client.stream(`${path}/log?${query}`)) process.stdout.write(text);
    });
}
