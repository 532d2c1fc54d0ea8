import { artifactMetadata, type TestRepositoryMetadata } from '../../pipelines/model/artifact.ts';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { NodeRepository } from '../nodes/packages/port.ts';
import { testOrigin } from '../repository/publish-stage.ts';

export interface OfferedRepository {
  readonly metadata: TestRepositoryMetadata;
  readonly repository: NodeRepository;
}

/** The test repositories among the artifacts, as a node is offered them. */
export function testRepositories(artifacts: readonly Artifact[]): OfferedRepository[] {
  return artifacts.flatMap(({ url, metadata }) => {
    const parsed = artifactMetadata.safeParse(metadata);
    if (!parsed.success || parsed.data.type !== 'test-repository') return [];
    const { codename, key } = parsed.data;
    const signed = key === undefined ? {} : { key };
    return [{ metadata: parsed.data, repository: { url, codename, origin: testOrigin, kind: 'test', ...signed } }];
  });
}
