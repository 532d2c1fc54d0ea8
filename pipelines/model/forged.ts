import type { ArtifactMetadata } from './artifact.ts';
import type { Artifact, Stage } from './job.ts';

/** The one stage that makes artifacts of each type of Sluice's own. */
const makers: Readonly<Record<ArtifactMetadata['type'], Stage>> = { packages: 'build', 'test-repository': 'publish' };

/**
 * Whether an artifact calls itself something that only another stage makes: what a job builds, installs or releases is
 * never taken from a job's own word.
 *
 * @param stage of the job that hands it out; undefined for one with programs of its own
 */
export function isForged({ metadata }: Artifact, stage: Stage | undefined): boolean {
  const maker = (makers as Readonly<Record<string, Stage | undefined>>)[String(metadata?.type)];
  return maker !== undefined && maker !== stage;
}
