import { continueAsNew, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import { control } from './activities.ts';
import { timersId } from './ids.ts';
import { requireId, requireInput } from './input.ts';

/** Input of the `timers` workflow: the tenant's name, and what an earlier run left. */
export interface TimersInput {
  readonly tenant: string;
  /** The last look at the clock, and the schedules that there were. */
  readonly after?: number;
  readonly rules?: readonly string[];
  /** Forced for tests: history events until it continues as new, and seconds until a changed configuration is seen. */
  readonly historyBudget?: number;
  readonly lookEvery?: number;
}

const defaultBudget = 1_000;

/** Seconds. */
const defaultPeriod = 60;

/**
 * The entity of a tenant's timer triggers: it sleeps until the next one is due, and looks at the configuration at least
 * once a minute. A Temporal Schedule knows neither Zuul's days of the month nor what has changed in a repository.
 */
export async function timers(input: TimersInput): Promise<void> {
  requireInput('timers', input);
  requireId(timersId(input.tenant));
  const { historyBudget = defaultBudget, lookEvery = defaultPeriod } = input;
  let { after = Date.now(), rules = [] } = input;
  while (!workflowInfo().continueAsNewSuggested && workflowInfo().historyLength < historyBudget) {
    const until = Date.now();
    const turned = await control.turnTimers({ after, until, rules });
    ({ rules } = turned);
    after = until;
    setCurrentDetails(turned.next === null ? 'no timers' : `next at ${new Date(turned.next).toISOString()}`);
    const wake = Math.min(turned.next ?? Number.POSITIVE_INFINITY, until + lookEvery * 1000);
    await sleep(Math.max(1, wake - Date.now()));
  }
  await continueAsNew<typeof timers>({ ...input, after, rules });
}
