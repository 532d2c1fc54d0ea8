import { createAskForSecrets } from '../../activities/secrets/ask.ts';
import { createProjectKeys } from '../../activities/secrets/keys.ts';
import { createOpenSecrets } from '../../activities/secrets/open.ts';
import type { OpenSecrets, Sealer } from '../../activities/secrets/port.ts';
import { createSealer } from '../../activities/secrets/seal.ts';
import type { ServerSecrets } from '../../server/port.ts';
import { readOrCreateToken, workerTokenFile } from '../../server/token.ts';
import type { Common } from '../common/common.ts';
import type { LiveConfig } from '../common/live-config.ts';
import { nearToken } from '../common/token-file.ts';
import type { Store } from '../store/store.ts';

/** The keys, in the one process that opens them. */
export async function createSecrets(
  { blobs, config, paths }: Common,
  store: Pick<Store, 'findBuild'>,
  { projects }: Pick<LiveConfig, 'projects'>,
): Promise<ServerSecrets & { readonly sealer: Sealer }> {
  const keys = createProjectKeys(paths.secretKeys);
  const [sealer, token] = await Promise.all([
    createSealer(paths.secretKeys),
    readOrCreateToken(config.data, workerTokenFile),
  ]);
  const runs = async (id: string, job: string) => {
    const build = await store.findBuild(id);
    return build?.job === job && build.endTime === null;
  };
  return {
    sealer,
    token,
    publicKey: async (tenant, project) => {
      const known = tenant === config.tenant && projects().some(({ name }) => name === project);
      return known ? keys.publicKey(project) : undefined;
    },
    open: createOpenSecrets({ keys, sealer, blobs, runs }),
  };
}

/** What a worker does that has no keys: it asks the server. */
export function askForSecrets({ config }: Pick<Common, 'config'>): OpenSecrets {
  return createAskForSecrets({ url: config.server.url, token: () => nearToken(config.data) });
}
