import type { Command } from 'commander';
import type { PlanDone } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';

/** Adds a command that carries a release plan out or takes it back, by the name of the API's route. */
export function addReleaseAction(program: Command, verb: 'commit' | 'revert', details: string): void {
  addClientOptions(addCommand(program, `release ${verb}`, { examples: [`sluice release ${verb} 2026-q4`], details }))
    .argument('<plan>', 'a release plan')
    .action(async (plan: string, options: ClientOptions) => {
      const path = `/api/release-plans/${encodeURIComponent(plan)}/${verb}`;
      const done = await createClient(options).post<PlanDone>(path, {});
      print(done, ({ summary }) => summary, options);
    });
}
