import { bootstrapSteps, findNeeds, meet, type Need } from '../infra/bootstrap/bootstrap.ts';
import { isNeeded } from '../infra/bootstrap/step.ts';
import type { Config } from '../infra/config/load.ts';
import { failed } from './fault.ts';
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

/**
 * Looks whether this machine has what a stack needs; changes nothing. What only the tests need may be missing,
 * and images of platforms that are nobody's but whose images somebody has made may be older.
 *
 * @throws CommandError (1) that names what is missing, and how to have it.
 */
export async function requireNeeds(config: Config): Promise<void> {
  const needs = (await findNeeds(bootstrapSteps(config))).flatMap(({ step, findings }) => {
    const needed = findings.filter(isNeeded);
    return needed.length === 0 ? [] : [{ step, findings: needed }];
  });
  if (needs.length === 0) return;
  const mend = '`sluice doctor --mend` installs all of it, `sluice doctor` says by which commands.';
  throw failed(['This machine lacks what follows; nothing was installed:', ...needs.map(needLine), mend].join('\n'));
}

function announce(needs: readonly Need[]): void {
  log('This machine lacks what follows; it is installed now:');
  for (const need of needs) log(needLine(need));
}

function needLine({ step, findings }: Need): string {
  return `  ${paint('bold', step.name)} (${step.why}): ${findings.map(({ missing }) => missing).join(', ')}`;
}
