import type { TestRequest } from '../../pipelines/test-service/request.ts';
import type { TestResult } from '../../pipelines/test-service/result.ts';
import type { TestHolder } from '../../pipelines/test-service/roles.ts';
import type { TestTaskState } from '../../workflows/test-task-contract.ts';

/** How a test task stands. */
export interface TestTaskStanding {
  readonly state: TestTaskState;
  /** Why it has ended as it did, in one line. */
  readonly reason?: string;
  /** Why its result could not be posted. */
  readonly undelivered?: string;
  /** Null while there is none. */
  readonly result: TestResult | null;
}

/** What the routes of the test service ask for. */
export interface TestService {
  /** Whose token it is; undefined for one that is not valid. */
  holderOf(token: string): Promise<TestHolder | undefined>;
  /** @returns the task's id. @throws BadRequest */
  schedule(request: TestRequest, holder: string): Promise<string>;
  /** @returns null for a task that is not known */
  look(task: string): Promise<TestTaskStanding | null>;
  /**
   * Cancels tasks that have not ended; harmless for others.
   *
   * @param tasks their numbers at whoever asked for them, or their ids
   * @returns those of them that nobody knows
   */
  cancel<T extends number | string>(tasks: readonly T[]): Promise<readonly T[]>;
}
