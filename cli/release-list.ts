import type { Command } from 'commander';
import type { ReleasePlanRecord } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { parseLimit, printRecords } from './look-back.ts';
import { renderPlans } from './render-plan.ts';
import { addServerOrStackOptions, type ServerOrStackOptions, withServerOrStack } from './server-or-stack.ts';

/** Adds `release list`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'release list', { examples: ['sluice release list', 'sluice release list --json'] }),
  )
    .option('--limit <number>', 'at most so many, newest first', parseLimit, 20)
    .action(async (options: ServerOrStackOptions & { readonly limit: number }) => {
      const { limit } = options;
      const plans = await withServerOrStack(options, (client) =>
        client.get<readonly ReleasePlanRecord[]>('/api/release-plans', { limit }),
      );
      printRecords(plans, renderPlans, options);
    });
}
