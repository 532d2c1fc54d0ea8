import type { Command } from 'commander';
import type { PlanPreview } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { failed } from './fault.ts';
import { print } from './output.ts';
import { addReleaseOptions, type ReleaseOptions, withReleaseClient } from './release-client.ts';
import { renderPreview } from './render-plan.ts';

interface Options extends ReleaseOptions {
  readonly revert?: boolean;
}

/** Adds `release preview`. */
export function register(program: Command): void {
  addReleaseOptions(
    addCommand(program, 'release preview', {
      examples: ['sluice release preview 2026-q4', 'sluice release preview 2026-q4 --revert --json'],
      details:
        'Makes the next state of each released repository as a commit does, and says what it gains, loses and breaks; ' +
        'then removes it. Exit 1 where a commit would be refused, or packages could not be installed.',
    }),
  )
    .argument('<plan>', 'a release plan')
    .option('--revert', 'what taking it back would do')
    .action(async (plan: string, options: Options) => {
      const action = options.revert ? 'revert' : 'commit';
      const path = `/api/release-plans/${encodeURIComponent(plan)}/${action}`;
      const found = await withReleaseClient(options, (client) => client.get<PlanPreview>(path));
      print(found, renderPreview, options);
      if (found.repositories.some(({ refused, problems }) => refused !== null || problems.length > 0)) throw failed();
    });
}
