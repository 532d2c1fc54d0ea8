import type { Merged } from '../schema/common.ts';
import type { JobAttributes } from '../schema/job.ts';

/** Attributes that change how a job is run: a final job refuses them. */
export const EXECUTION = [
  ...(['parent', 'pre-timeout', 'timeout', 'post-timeout', 'vars', 'extra-vars', 'host-vars', 'group-vars'] as const),
  ...(['include-vars', 'nodeset', 'pre-run', 'run', 'post-run', 'cleanup-run', 'ansible-split-streams'] as const),
  ...(['ansible-version', 'semaphores', 'semaphore', 'attempts', 'roles', 'required-projects'] as const),
  ...(['include-projects', 'exclude-projects', 'allowed-projects', 'override-branch', 'override-checkout'] as const),
  ...(['post-review', 'workspace-scheme', 'workspace-checkout', 'failure-output', 'image-build-name', 'type'] as const),
  ...(['preserve-home-paths', 'secret-exposure', 'uses'] as const),
] as const satisfies readonly (keyof JobAttributes)[];

/** Execution attributes whose last word holds. */
export const PLAIN_EXECUTION = [
  ...(['pre-timeout', 'timeout', 'post-timeout', 'nodeset', 'ansible-split-streams', 'ansible-version'] as const),
  ...(['attempts', 'override-branch', 'override-checkout', 'workspace-scheme', 'workspace-checkout'] as const),
  ...(['image-build-name', 'type', 'uses'] as const),
] as const satisfies readonly (keyof JobAttributes)[];

/** Attributes that say whether a job runs and how it is reported: a final job lets them be changed. */
export const PLAIN_CONTEXT = [
  ...(['voting', 'hold-following-changes', 'failure-message', 'success-message'] as const),
  ...(['match-on-config-updates', 'deduplicate', 'requires-from'] as const),
] as const satisfies readonly (keyof JobAttributes)[];

export const VARIABLES = ['vars', 'extra-vars', 'host-vars', 'group-vars'] as const;
export const NAME_SETS = ['tags', 'provides', 'requires'] as const;
export const FILE_MATCHERS = ['files', 'irrelevant-files'] as const;

/** What is written replaces or extends what is there, as its tag says, or else by the attribute's default. */
export function joined<T>(before: readonly T[], written: Merged<readonly T[]>, override: boolean): readonly T[] {
  return [...new Set((written.override ?? override) ? written.value : [...before, ...written.value])];
}

/** Empty lists and maps count as not written. */
export function isSet(value: unknown): boolean {
  if (value === undefined) return false;
  const inner = typeof value === 'object' && value !== null && 'value' in value ? value.value : value;
  if (Array.isArray(inner)) return inner.length > 0;
  if (typeof inner !== 'object' || inner === null) return true;
  return Object.keys(inner).length > 0;
}
