import type { FrozenJob, Stage } from '../model/job.ts';

export interface LoneJob {
  readonly name: string;
  /** What it is for, in the place of a change. */
  readonly about: string;
  readonly uses: Stage;
  /** A platform's name; undefined for a job without nodes. */
  readonly label: string | undefined;
  /** Seconds that it may take, its waiting not counted; null is no limit of its own. */
  readonly timeout: number | null;
  readonly vars: FrozenJob['vars'];
}

/** A job of no project: a stage on one node at most. */
export function loneJob({ name, about, uses, label, timeout, vars }: LoneJob): FrozenJob {
  const none = { provides: [], requires: [], semaphores: [], alternatives: [], tags: [], requiredProjects: [] };
  const programs = { preRun: [], run: [], postRun: [], failureOutput: [], secrets: [], variants: [] };
  return {
    ...none,
    ...programs,
    ...{ key: name, name, change: about, type: 'regular', uses, voting: true },
    ...{ holdFollowingChanges: false, attempts: 1, timeout, postTimeout: null, dependencies: [] },
    ...{ requiresFrom: 'ahead', deduplicate: false, postReview: false, workspaceScheme: 'golang' },
    ...{ vars, extraVars: {}, hostVars: {}, groupVars: {} },
    nodeset: { name: '', nodes: label === undefined ? [] : [{ name: ['node'], label }], groups: [] },
  };
}
