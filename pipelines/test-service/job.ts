import { loneJob } from '../jobs/lone-job.ts';
import type { FrozenJob } from '../model/job.ts';
import type { TestTask } from './request.ts';

/** The name of every such job, and of the pipeline that its builds are shown under. */
export const testJobName = 'test-package';
export const testPipeline = 'tests';

/** Seconds that a task may take, its waiting not counted. */
const limit = 7_200;

/** A test task as a job of no project: one node, and the stage `test`. */
export function testJob(task: TestTask): FrozenJob {
  const what = { name: testJobName, about: task.id, uses: 'test', label: task.platform } as const;
  return loneJob({ ...what, timeout: limit, vars: { task } });
}
