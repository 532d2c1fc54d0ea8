import type { FrozenJob, Nodeset } from '../../model/job.ts';
import { type Layout, semaphores } from '../layout.ts';
import { flattenNodesets } from '../nodesets.ts';
import type { JobDraft } from './draft.ts';

const NO_NODES: Nodeset = { name: '', nodes: [], groups: [] };

/** The frozen form of a job whose variants are all applied. Key and dependencies are the graph's to set. */
export function finishJob(layout: Layout, draft: JobDraft, change: string): FrozenJob {
  const [nodeset = NO_NODES, ...alternatives] = nodesetsOf(layout, draft);
  const limits = semaphores(layout);
  return {
    key: draft.name,
    name: draft.name,
    change,
    ...plainAttributes(layout, draft),
    dependencies: draft.dependencies,
    provides: draft.sets.provides,
    requires: draft.sets.requires,
    semaphores: draft.semaphores.map((semaphore) => ({ ...semaphore, max: limits[semaphore.name] ?? 1 })),
    nodeset,
    alternatives,
    tags: draft.sets.tags,
    requiredProjects: [...draft.requiredProjects].map(([project, checkout]) =>
      checkout === undefined ? { project } : { project, overrideCheckout: checkout },
    ),
    failureOutput: [...draft.sets['failure-output']].sort(),
    vars: draft.variables.vars,
    extraVars: draft.variables['extra-vars'],
    hostVars: draft.variables['host-vars'] as FrozenJob['hostVars'],
    groupVars: draft.variables['group-vars'] as FrozenJob['groupVars'],
    secrets: draft.secrets,
    ...(draft.secretExposure !== undefined && { secretExposure: draft.secretExposure }),
    preRun: draft.preRun,
    run: draft.run,
    postRun: draft.postRun,
    postReview: draft.postReview,
    variants: draft.places,
  };
}

/** Attributes that are a single value, with Zuul's presets. */
function plainAttributes(layout: Layout, { plain }: JobDraft) {
  const ansibleVersion = plain['ansible-version'] ?? layout.tenant.ansibleVersion;
  const { 'success-message': successMessage, 'failure-message': failureMessage, uses } = plain;
  const overrideCheckout = plain['override-checkout'] ?? plain['override-branch'];
  return {
    type: plain.type ?? 'regular',
    voting: plain.voting ?? true,
    holdFollowingChanges: plain['hold-following-changes'] ?? false,
    attempts: plain.attempts ?? 3,
    timeout: plain.timeout ?? null,
    ...(plain['pre-timeout'] !== undefined && { preTimeout: plain['pre-timeout'] }),
    postTimeout: plain['post-timeout'] ?? null,
    requiresFrom: plain['requires-from'] ?? 'ahead',
    deduplicate: plain.deduplicate ?? 'auto',
    workspaceScheme: plain['workspace-scheme'] ?? 'golang',
    ...(successMessage !== undefined && { successMessage }),
    ...(failureMessage !== undefined && { failureMessage }),
    ...(uses !== undefined && { uses }),
    ...(overrideCheckout !== undefined && { overrideCheckout }),
    ...(ansibleVersion !== undefined && { ansibleVersion: String(ansibleVersion) }),
  };
}

function nodesetsOf(layout: Layout, draft: JobDraft): readonly Nodeset[] {
  const { nodeset } = draft.plain;
  if (nodeset === undefined || nodeset === '') return [];
  const flat = flattenNodesets(layout, nodeset);
  return 'nodesets' in flat ? flat.nodesets : [];
}

/** What a job comes to, apart from when it runs and where it stands: equal texts mean that nothing changed. */
export function contentText(job: FrozenJob): string {
  const { variants: _variants, change: _change, key: _key, ...content } = job;
  return JSON.stringify(content);
}
