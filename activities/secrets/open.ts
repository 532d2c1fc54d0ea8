import type { StoredSecret } from '../../pipelines/model/secrets.ts';
import type { BlobStore } from '../ports.ts';
import { type OpenedSecret, type OpenSecrets, type ProjectKeys, Refused, type Sealer } from './port.ts';

export interface OpenDeps {
  readonly keys: ProjectKeys;
  readonly sealer: Sealer;
  readonly blobs: Pick<BlobStore, 'read'>;
  /** Whether a build with that id, of a job with that name, has begun and not ended. */
  readonly runs: (build: string, job: string) => Promise<boolean>;
}

/** Opens secrets where the keys are, for a job that runs now and is as it was frozen. */
export function createOpenSecrets(deps: OpenDeps): OpenSecrets {
  return async (request) => {
    const { build, job, secrets } = request;
    if (!(await deps.runs(build, job))) {
      throw new Refused(`no build ${build} of ${job} runs: secrets are given to running builds only`);
    }
    if (!deps.sealer.fits(request, secrets.seal)) {
      throw new Refused(`${job} is not as it was frozen, so it gets no secrets: start it by enqueue or retrigger`);
    }
    const uses = new Map(secrets.uses.map((use) => [use.secret, use]));
    return Promise.all([...uses.values()].map((use) => openOne(deps, use)));
  };
}

async function openOne(deps: OpenDeps, { secret, project, encrypted }: StoredSecret): Promise<OpenedSecret> {
  const values: string[] = [];
  const open = async (value: unknown): Promise<unknown> => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return Promise.all(value.map(open));
    if (isEncrypted(value)) {
      const plain = await deps.keys.decrypt(project, value.chunks);
      values.push(plain);
      return plain;
    }
    const entries = Object.entries(value).map(async ([key, inner]) => [key, await open(inner)] as const);
    return Object.fromEntries(await Promise.all(entries));
  };
  const stored: unknown = JSON.parse((await deps.blobs.read(encrypted)).toString('utf8'));
  try {
    return { secret, data: (await open(stored)) as OpenedSecret['data'], values };
  } catch (error) {
    throw new Refused(`secret ${secret}: ${(error as Error).message}`);
  }
}

/** As the language keeps what is written with `!encrypted/pkcs1-oaep`. */
function isEncrypted(value: object): value is { readonly chunks: readonly string[] } {
  const { scheme, chunks } = value as { readonly scheme?: unknown; readonly chunks?: unknown };
  return scheme === 'pkcs1-oaep' && Array.isArray(chunks) && chunks.every((chunk) => typeof chunk === 'string');
}
