import { artifactMetadata, type TestRepositoryMetadata } from '../../pipelines/model/artifact.ts';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { NodeRepository } from '../nodes/packages/port.ts';
import { testOrigin } from '../publish/publish-stage.ts';

export interface OfferedRepository {
  readonly metadata: TestRepositoryMetadata;
  readonly repository: NodeRepository;
}

/** The test repositories among the artifacts, as a node is offered them. */
export function testRepositories(artifacts: readonly Artifact[]): OfferedRepository[] {
  return artifacts.flatMap(({ url, metadata }) => {
    const parsed = artifactMetadata.safeParse(metadata);
    if (!parsed.success || parsed.data.type !== 'test-repository') return [];
    const { codename, key, packages: names } = parsed.data;
    const more = { ...(key === undefined ? {} : { key }), ...(names === undefined ? {} : { names }) };
    return [{ metadata: parsed.data, repository: { url, codename, origin: testOrigin, kind: 'test', ...more } }];
  });
}

/** The test repositories of a job: its own, and those of what is ahead of it or needed. */
export interface JobRepositories {
  readonly own: readonly OfferedRepository[];
  readonly provided: readonly OfferedRepository[];
}

/**
 * Those of a job's test repositories that are for machines of a platform. A project that is built for several has one
 * for each, with packages of the same names: what was built on the platform itself, where something was, else all of
 * its format, for what one platform builds may be tried on another. What is provided goes by what is the job's own.
 */
export function repositoriesFor(
  { name, format }: Pick<Platform, 'name' | 'format'>,
  { parents, provided }: Pick<StageInput, 'parents' | 'provided'>,
): JobRepositories {
  const builtOn = (platforms: ReadonlySet<string>, all: readonly OfferedRepository[]) => {
    const exact = all.filter(({ metadata }) => platforms.has(metadata.platform));
    return exact.length > 0 ? exact : all;
  };
  const ofFormat = (artifacts: readonly Artifact[]) =>
    testRepositories(artifacts).filter(({ metadata }) => metadata.format === format);
  const own = builtOn(new Set([name]), ofFormat(parents));
  const platforms = new Set(own.map(({ metadata }) => metadata.platform));
  const neighbours = ofFormat(provided);
  return {
    own,
    provided:
      platforms.size > 0
        ? neighbours.filter(({ metadata }) => platforms.has(metadata.platform))
        : builtOn(new Set([name]), neighbours),
  };
}

/** What is tried on the job's first node: the platform and the repositories; else why there is nothing to try. */
export function trialOf(
  { nodes, parents, provided }: Pick<StageInput, 'nodes' | 'parents' | 'provided'>,
  platformOf: (label: string) => Platform,
): { readonly platform: Platform; readonly offered: JobRepositories } | string {
  const label = nodes[0]?.label;
  const platform = label === undefined ? undefined : platformOf(label);
  const offered = platform && repositoriesFor(platform, { parents, provided });
  if (platform !== undefined && offered !== undefined && offered.own.length > 0) return { platform, offered };
  const other = platform !== undefined && testRepositories(parents).length > 0;
  return `no job before this one made a test repository${other ? ` of packages in the format ${platform.format}` : ''}`;
}

/** Milliseconds that one step (an installation, a script, a removal) may take where the job does not say. */
const stepTimeout = 180_000;

/** The same, as the job has it: `vars.step_timeout`, in seconds. */
export function stepTimeoutOf({ step_timeout: seconds }: Readonly<Record<string, unknown>>): number {
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : stepTimeout;
}
