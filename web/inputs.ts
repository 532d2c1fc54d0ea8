import type { BuildRecord } from '../server/api/types.ts';

/** What a build of packages was made of. */
export interface Inputs {
  /** Digest of all that decides what comes out. */
  readonly digest: string;
  /** Id of the build that made the packages, where this one took them over. */
  readonly madeBy?: string;
}

/** Undefined for what is no build of packages, and where not all of its inputs were known. */
export function inputsOf({ artifacts }: Pick<BuildRecord, 'artifacts'>): Inputs | undefined {
  const { inputs, reused } = artifacts.find(({ metadata }) => metadata?.type === 'packages')?.metadata ?? {};
  if (typeof inputs !== 'string') return undefined;
  const madeBy = typeof reused === 'object' && reused !== null && 'build' in reused ? reused.build : undefined;
  return { digest: inputs, ...(typeof madeBy === 'string' ? { madeBy } : {}) };
}
