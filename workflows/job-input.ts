import type { PendingBuild } from '../pipelines/jobs/pending.ts';
import type { BuildSetInput, BuildSetStart, JobInput } from './contract.ts';

/** Whose jobs they are, and what all of them work with. */
export interface JobsOf {
  readonly buildSet: Pick<BuildSetInput, 'tenant' | 'pipeline' | 'key' | 'permissions'> &
    Partial<Pick<BuildSetInput, 'queue'>>;
  readonly stored: BuildSetStart;
  /** Workflow id of whoever waits for them. */
  readonly reportTo?: string;
}

/** What an attempt at a job of a build set is started with. @throws where nothing was prepared for its change */
export function jobInput({ buildSet, stored, reportTo }: JobsOf, build: PendingBuild): JobInput {
  const { tenant, pipeline, queue, key, permissions } = buildSet;
  const { changes, sources, unreleased, released } = stored;
  const label = build.nodeset.nodes[0]?.label ?? '';
  const offered = build.job.requires.length > 0 ? unreleased?.[label] : undefined;
  const own = changes.find(({ id }) => id === build.job.change) ?? changes[0];
  const source = sources.find(({ project, branch }) => project === own?.project && branch === own.branch);
  const returned = Object.keys(build.parentData).filter((name) => !Object.hasOwn(build.job.vars, name));
  if (!own || !source) throw new Error(`no prepared state for ${build.job.key}`);
  return {
    tenant,
    pipeline,
    buildSet: key,
    ...(reportTo === undefined ? {} : { reportTo }),
    change: own.id,
    patchset: own.patchset,
    job: { ...build.job, nodeset: build.nodeset, vars: { ...build.parentData, ...build.job.vars } },
    attempt: build.attempt,
    source,
    sources,
    parents: build.parents,
    provided: build.artifacts,
    ...(offered === undefined ? {} : { unreleased: offered }),
    ...(released === undefined ? {} : { released }),
    priority: permissions.priority - (build.underPaused ? 1 : 0),
    ...(queue === undefined ? {} : { queue }),
    ...(returned.length === 0 ? {} : { returned }),
  };
}

/** A job that has nothing to run: it succeeds at once. */
export function isNoop({ job }: Pick<PendingBuild, 'job'>): boolean {
  return job.uses === undefined && job.run.length === 0 && job.preRun.length === 0 && job.postRun.length === 0;
}
