import type { TestTask } from '../pipelines/test-service/request.ts';

/** Input of the `testTask` workflow. */
export interface TestTaskInput {
  readonly tenant: string;
  readonly task: TestTask;
  /** Where the result is posted: a path at the host that is configured. Absent: nowhere. */
  readonly callback?: string;
}

/** As clients of Celery know it: none of its words is ours. */
export type TestTaskState = 'PENDING' | 'STARTED' | 'RETRY' | 'SUCCESS' | 'FAILURE' | 'REVOKED';

/** States of tasks that have not ended. */
export const openTestStates: ReadonlySet<TestTaskState> = new Set(['PENDING', 'STARTED', 'RETRY']);

/** How a test task stands. */
export interface TestTaskView {
  readonly state: TestTaskState;
  /** Stages that have begun, the last one is at work. */
  readonly stages: readonly string[];
  /** Ended, without a result of the stages: why. */
  readonly reason?: string;
  /** Its latest build: log and artifacts. */
  readonly build?: string;
  /** Where the stages' result is in storage. */
  readonly result?: string;
  /** Why its result could not be posted. */
  readonly undelivered?: string;
}

/** What a callback is told. */
export interface PostTestResult {
  readonly task: string;
  readonly callback: string;
  /** How it has ended. */
  readonly view: TestTaskView;
}

/** What the workflow asks of the `control` worker for this alone. */
export interface TestTaskActivities {
  /** Posts a result. @throws what is tried again when the host is away, or answers 502 */
  postTestResult(input: PostTestResult): Promise<void>;
}
