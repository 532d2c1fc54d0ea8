import { openSigner } from '../signer/signer.ts';
import type { Part } from '../stack/part.ts';
import { dataPaths } from '../stack/paths.ts';
import type { StackConfig } from '../stack/settings.ts';
import { createSignWorker } from '../temporal/worker.ts';
import { connectPatiently } from './connect.ts';
import { createLogger, logTemporal } from './logging.ts';
import { signersPayloads } from './payload-store.ts';
import { workerPart } from './worker-part.ts';

/** The process that has the key, as a user of its own: content comes in and goes out by digest. */
export async function startSigner(config: StackConfig): Promise<Part> {
  const logger = createLogger('signer');
  logTemporal(logger);
  const [temporal, signer] = await Promise.all([
    connectPatiently(config, signersPayloads(dataPaths(config.data))),
    openSigner(dataPaths(config.data), (message) => logger.warn(message)),
  ]);
  const worker = await createSignWorker({ temporal, activities: signer.activities });
  return workerPart([worker], async () => {
    await signer.close();
    await temporal.close();
  });
}
