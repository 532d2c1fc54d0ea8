import { join } from 'node:path';
import { type KeyFault, KeysRefused } from '../../activities/sign/archive-keys.ts';
import { createLogger, logTemporal } from '../common/logging.ts';
import { releaseRules } from '../config/release-rules.ts';
import { openSigner } from '../signer/signer.ts';
import type { Part } from '../stack/part.ts';
import { dataPaths } from '../stack/paths.ts';
import type { StackConfig } from '../stack/settings.ts';
import { createSignWorker } from '../temporal/worker.ts';
import { connectPatiently } from './connect.ts';
import { lookUpAtHosts } from './host-lookup.ts';
import { signersPayloads } from './payload-store.ts';
import { workerPart } from './worker-part.ts';

/** The process that has the key, as a user of its own: content comes in and goes out by digest. */
export async function startSigner(config: StackConfig): Promise<Part> {
  const logger = createLogger('signer');
  logTemporal(logger);
  const paths = dataPaths(config.data);
  const opening = openSigner(paths, {
    rules: releaseRules(config),
    keys: config.release.keys,
    warn: (message) => logger.warn(message),
    ...lookUpAtHosts(config, join(paths.keys, 'fetched')),
  });
  const connecting = connectPatiently(config, signersPayloads(paths));
  const [temporal, signer] = await Promise.all([connecting, opening]).catch(async (error) => {
    // The keys' agents outlive this process.
    await opening.then(({ close }) => close()).catch(() => {});
    throw error instanceof KeysRefused && config.file !== null ? await asConfigured(config.file, error) : error;
  });
  const worker = await createSignWorker({ temporal, activities: signer.activities });
  return workerPart([worker], async () => {
    await signer.close();
    await temporal.close();
  });
}

/** The same with its places in the file. */
async function asConfigured(file: string, { faults }: KeysRefused): Promise<Error> {
  const { invalidAt } = await import('../config/load.ts');
  const path = (fault: KeyFault) => ['release', 'keys', fault.list, fault.index];
  return invalidAt(
    file,
    faults.map((fault) => ({ path: path(fault), message: fault.message })),
  );
}
