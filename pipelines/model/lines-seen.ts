import { artifactMetadata } from './artifact.ts';
import type { ProvidedArtifact } from './job.ts';
import { lineOf, linesSeen, type ReleaseRules } from './release-line.ts';

/** A test repository whose packages will be in a released repository that a job does not see. */
export interface ElsewhereReleased {
  readonly artifact: ProvidedArtifact;
  /** The released repository that its packages go into. */
  readonly repository: string;
  /** Those that the job sees. */
  readonly seen: readonly string[];
}

/**
 * What is provided by other changes, split by whether whoever installs the job's packages from their released
 * repository will have it, too. Both are looked at on the platform that the packages were built for.
 *
 * @param branch what the job is about
 */
export function splitBySight(
  rules: ReleaseRules,
  { branch, provided }: { readonly branch: string; readonly provided: readonly ProvidedArtifact[] },
): { readonly seen: readonly ProvidedArtifact[]; readonly elsewhere: readonly ElsewhereReleased[] } {
  const elsewhere = provided.flatMap((artifact) => {
    const metadata = artifactMetadata.safeParse(artifact.metadata);
    if (artifact.branch === undefined || !metadata.success || metadata.data.type !== 'test-repository') return [];
    const { format, platform } = metadata.data;
    const { repository } = lineOf(rules, { format, platform, branch: artifact.branch });
    const seen = linesSeen(rules, { format, platform, branch }).map((line) => line.repository);
    return seen.includes(repository) ? [] : [{ artifact, repository, seen }];
  });
  const hidden = new Set(elsewhere.map(({ artifact }) => artifact));
  return { seen: provided.filter((artifact) => !hidden.has(artifact)), elsewhere };
}
