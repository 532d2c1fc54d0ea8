import type { Command } from 'commander';
import type { PlanDone } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';
import { addServerOrStackOptions, type ServerOrStackOptions, withServerOrStack } from './server-or-stack.ts';

/** Adds a command that carries a release plan out or removes it, by the name of the API's route. */
export function addReleaseAction(program: Command, verb: 'commit' | 'remove', details: string): void {
  addServerOrStackOptions(
    addCommand(program, `release ${verb}`, { examples: [`sluice release ${verb} 2026-q4`], details }),
  )
    .argument('<plan>', 'a release plan')
    .action(async (plan: string, options: ServerOrStackOptions) => {
      const path = `/api/release-plans/${encodeURIComponent(plan)}/${verb}`;
      const done = await withServerOrStack(options, (client) => client.post<PlanDone>(path, {}));
      print(done, ({ summary }) => summary, options);
    });
}
