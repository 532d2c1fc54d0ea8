import type { Command } from 'commander';
import type { PlanDone } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { print } from './output.ts';
import { addServerOrStackOptions, type ServerOrStackOptions, withServerOrStack } from './server-or-stack.ts';
import { addTakeBackOptions, type TakeBackOptions, whatToTakeBack } from './take-back.ts';

/** Adds `release revert`. */
export function register(program: Command): void {
  const command = addCommand(program, 'release revert', {
    examples: [
      'sluice release revert 2026-q4',
      'sluice release revert --change 7',
      'sluice release revert --change 7 --line deb-stable',
    ],
    details:
      'Takes back what a plan has released, or what is released of one change, with a plan or at once: the repositories ' +
      'are published anew without these packages, signed, with a new date, so that clients take the older versions for ' +
      'the newest. What is installed stays installed.',
  });
  addTakeBackOptions(addServerOrStackOptions(command))
    .argument('[plan]', 'a release plan')
    .action(async (plan: string | undefined, options: ServerOrStackOptions & TakeBackOptions) => {
      const what = whatToTakeBack(plan, options);
      const done = await withServerOrStack(options, (client) =>
        'plan' in what
          ? client.post<PlanDone>(`/api/release-plans/${encodeURIComponent(what.plan)}/revert`, {})
          : client.post<PlanDone>('/api/releases/revert', what),
      );
      print(done, ({ summary }) => summary, options);
    });
}
