import type { Layout } from '../../pipelines/language/language.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { FrozenJob, JobGraph, SecretUse } from '../../pipelines/model/job.ts';
import { secretsOf } from '../../pipelines/model/secrets.ts';
import type { BlobStore } from '../ports.ts';
import type { Sealer } from '../secrets/port.ts';

interface BindDeps {
  readonly blobs: Pick<BlobStore, 'put'>;
  readonly sealer: Pick<Sealer, 'seal'>;
}

interface Frozen {
  readonly graph: JobGraph;
  readonly sources: readonly SourceState[];
}

/**
 * Stores the cipher text of the secrets that jobs use, as the layout that they were frozen from has it, and seals the
 * jobs: neither what they run nor what they may see can be altered afterwards.
 */
export async function bindSecrets(deps: BindDeps, layout: Layout, { graph, sources }: Frozen): Promise<JobGraph> {
  if (graph.jobs.every(({ secrets }) => secrets.length === 0)) return graph;
  const bind = async (job: FrozenJob): Promise<FrozenJob> => {
    const uses = await Promise.all(job.secrets.map((use) => store(deps, layout, use)));
    const stored = { ...job, secrets: uses };
    const secrets = secretsOf(stored);
    return secrets === undefined ? job : { ...stored, seal: deps.sealer.seal({ job: job.name, sources, secrets }) };
  };
  return { ...graph, jobs: await Promise.all(graph.jobs.map(bind)) };
}

async function store({ blobs }: BindDeps, layout: Layout, use: SecretUse): Promise<SecretUse> {
  const secret = layout.secrets.get(use.secret);
  if (secret === undefined)
    throw new Error(`secret ${use.secret} is gone from the layout that its job was frozen from`);
  const { digest } = await blobs.put(JSON.stringify(secret.data));
  return { ...use, encrypted: digest };
}
