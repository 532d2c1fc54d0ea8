import type { Command } from 'commander';
import type { PlanPreview } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { failed, misused } from './fault.ts';
import { print } from './output.ts';
import { renderPreview } from './render-plan.ts';
import { addServerOrStackOptions, type ServerOrStackOptions, withServerOrStack } from './server-or-stack.ts';
import { addTakeBackOptions, type TakeBackOptions, whatToTakeBack } from './take-back.ts';

interface Options extends ServerOrStackOptions, TakeBackOptions {
  readonly revert?: boolean;
}

/** Adds `release preview`. */
export function register(program: Command): void {
  const command = addServerOrStackOptions(
    addCommand(program, 'release preview', {
      examples: [
        'sluice release preview 2026-q4',
        'sluice release preview 2026-q4 --revert --json',
        'sluice release preview --revert --change 7',
      ],
      details:
        'Makes the next state of each released repository as a commit does, and says what it gains, loses and breaks; ' +
        'then removes it. Exit 1 where a commit would be refused, or packages could not be installed.',
    }),
  );
  addTakeBackOptions(command)
    .argument('[plan]', 'a release plan')
    .option('--revert', 'what taking it back would do')
    .action(async (plan: string | undefined, options: Options) => {
      const path = pathOf(plan, options);
      const found = await withServerOrStack(options, (client) => client.get<PlanPreview>(path));
      print(found, renderPreview, options);
      if (found.repositories.some(({ refused, problems }) => refused !== null || problems.length > 0)) throw failed();
    });
}

function pathOf(plan: string | undefined, options: Options): string {
  const what = whatToTakeBack(plan, options);
  if ('plan' in what) {
    return `/api/release-plans/${encodeURIComponent(what.plan)}/${options.revert ? 'revert' : 'commit'}`;
  }
  if (!options.revert) throw misused('what is released of a change can be taken back alone: add --revert');
  const query = [['change', what.change], ...what.lines.map((line) => ['line', line])] as [string, string][];
  return `/api/releases/revert?${new URLSearchParams(query)}`;
}
