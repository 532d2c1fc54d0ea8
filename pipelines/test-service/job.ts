import type { FrozenJob } from '../model/job.ts';
import type { TestTask } from './request.ts';

/** The name of every such job, and of the pipeline that its builds are shown under. */
export const testJobName = 'test-package';
export const testPipeline = 'tests';

/** Seconds that a task may take, its waiting not counted. */
const limit = 7_200;

/** A test task as a job of no project: one node, and the stage `test`. */
export function testJob(task: TestTask): FrozenJob {
  const none = { provides: [], requires: [], semaphores: [], alternatives: [], tags: [], requiredProjects: [] };
  const programs = { preRun: [], run: [], postRun: [], failureOutput: [], secrets: [], variants: [] };
  const nodes = [{ name: ['node'], label: task.platform }];
  return {
    ...none,
    ...programs,
    ...{ key: testJobName, name: testJobName, change: task.id, type: 'regular', uses: 'test', voting: true },
    ...{ holdFollowingChanges: false, attempts: 1, timeout: limit, postTimeout: null, dependencies: [] },
    ...{ requiresFrom: 'ahead', deduplicate: false, postReview: false, workspaceScheme: 'golang' },
    ...{ vars: { task }, extraVars: {}, hostVars: {}, groupVars: {} },
    nodeset: { name: '', nodes, groups: [] },
  };
}
