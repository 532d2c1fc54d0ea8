import { bootstrapSteps, findNeeds, meet, type Need } from '../infra/bootstrap/bootstrap.ts';
import type { Config } from '../infra/config/load.ts';
import { log, paint } from './output.ts';
import { runSteps } from './progress.ts';

/**
 * Makes good what this machine lacks, after saying what that is. Costs little where nothing is missing.
 *
 * @throws with the commands that mend what could not be made good.
 */
export async function bootstrap(config: Config): Promise<void> {
  const needs = await findNeeds(bootstrapSteps(config));
  if (needs.length === 0) return;
  announce(needs);
  await runSteps(needs.map((need) => ({ title: need.step.name, run: (report) => meet(need, report) })));
}

function announce(needs: readonly Need[]): void {
  log('This machine lacks what follows; it is installed now:');
  for (const { step, findings } of needs) {
    log(`  ${paint('bold', step.name)} (${step.why}): ${findings.map(({ missing }) => missing).join(', ')}`);
  }
}
