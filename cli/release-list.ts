import type { Command } from 'commander';
import type { ReleasePlanRecord } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { parseLimit, printRecords } from './look-back.ts';
import { addReleaseOptions, type ReleaseOptions, withReleaseClient } from './release-client.ts';
import { renderPlans } from './render-plan.ts';

/** Adds `release list`. */
export function register(program: Command): void {
  addReleaseOptions(
    addCommand(program, 'release list', { examples: ['sluice release list', 'sluice release list --json'] }),
  )
    .option('--limit <number>', 'at most so many, newest first', parseLimit, 20)
    .action(async (options: ReleaseOptions & { readonly limit: number }) => {
      const { limit } = options;
      const plans = await withReleaseClient(options, (client) =>
        client.get<readonly ReleasePlanRecord[]>('/api/release-plans', { limit }),
      );
      printRecords(plans, renderPlans, options);
    });
}
