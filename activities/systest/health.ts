import type { TestCase } from '../../pipelines/report/junit.ts';
import type { HealthCheck } from '../../pipelines/systest/scenario.ts';
import { type StepRun, unfinished } from './problem.ts';

interface Examined {
  readonly check: HealthCheck;
  /** Whether the step is done that it waits for. */
  begun: boolean;
  /** In all. */
  seconds: number;
  failure?: NonNullable<TestCase['failure']>;
}

/** The health checks of a scenario: before its first step, and after each. */
export class Health {
  readonly #checks: readonly Examined[];
  readonly #run: (check: HealthCheck) => Promise<StepRun>;

  constructor(checks: readonly HealthCheck[], run: (check: HealthCheck) => Promise<StepRun>) {
    this.#checks = checks.map((check) => ({ check, begun: check.from === undefined, seconds: 0 }));
    this.#run = run;
  }

  /** Runs those that are due, until one fails. @param done the name of the step that was done; absent: none was */
  async examine(done?: string): Promise<void> {
    for (const one of this.#checks) {
      one.begun ||= one.check.from === done;
      if (!one.begun || this.failed) continue;
      const { seconds, failure } = await this.#run(one.check).catch((error) => {
        one.failure = unfinished(error);
        throw error;
      });
      one.seconds += seconds;
      if (failure === undefined) continue;
      const when = done === undefined ? 'before the first step' : `after ${JSON.stringify(done)}`;
      one.failure = { ...failure, message: `${when}: ${failure.message}` };
    }
  }

  get failed(): boolean {
    return this.#checks.some(({ failure }) => failure !== undefined);
  }

  /** One for each check, however often it was run. */
  cases(suite: string): readonly TestCase[] {
    return this.#checks.map(({ check, begun, seconds, failure }) => ({
      ...{ suite, name: `health: ${check.name}`, seconds },
      ...(failure === undefined ? {} : { failure }),
      ...(begun ? {} : { skipped: `the step ${JSON.stringify(check.from)} was not done` }),
    }));
  }
}
