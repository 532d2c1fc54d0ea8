import type { FrozenJob, JobGraph } from '../../../pipelines/model/job.ts';

const plain: Omit<FrozenJob, 'key' | 'name'> = {
  change: 'A',
  type: 'regular',
  voting: true,
  holdFollowingChanges: false,
  attempts: 3,
  timeout: null,
  postTimeout: null,
  dependencies: [],
  provides: [],
  requires: [],
  requiresFrom: 'ahead',
  semaphores: [],
  nodeset: { name: 'first', nodes: [], groups: [] },
  alternatives: [],
  tags: [],
  deduplicate: 'auto',
  requiredProjects: [],
  failureOutput: [],
  vars: {},
  extraVars: {},
  hostVars: {},
  groupVars: {},
  secrets: [],
  preRun: [],
  run: [],
  postRun: [],
  postReview: false,
  workspaceScheme: 'golang',
  variants: [],
};

/** A job, `NAME > DEPENDENCY DEPENDENCY?`: a question mark makes a dependency soft. */
export function job(text: string, more: Partial<FrozenJob> = {}): FrozenJob {
  const [name = '', needs = ''] = text.split(' > ');
  const dependencies = needs
    .split(' ')
    .filter((need) => need !== '')
    .map((need) => ({ name: need.replace('?', ''), soft: need.endsWith('?') }));
  return { ...plain, key: name, name, dependencies, ...more };
}

export function graph(jobs: readonly (string | FrozenJob)[], failFast = false): JobGraph {
  return { jobs: jobs.map((one) => (typeof one === 'string' ? job(one) : one)), failFast, warnings: [] };
}
