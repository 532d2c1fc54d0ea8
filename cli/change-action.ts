import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';

/** Adds a command that does one thing to one change of the plain-Git host, by the name of the API's route. */
export function addChangeAction(program: Command, verb: 'abandon' | 'restore', done: string): void {
  addClientOptions(addCommand(program, verb, { examples: [`sluice ${verb} 7`, `sluice ${verb} tinycdb/7`] }))
    .argument('<change>', 'number, PROJECT/NUMBER or Change-Id')
    .action(async (change: string, options: ClientOptions) => {
      const client = createClient(options);
      const answer = await client.post(`/api/changes/${encodeURIComponent(change)}/${verb}`, {});
      print(answer, () => `${change} is ${done}`, options);
    });
}
