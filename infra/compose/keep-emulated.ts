import type { Logger } from 'pino';
import type { Part } from '../stack/part.ts';
import { nowAndThen } from './now-and-then.ts';

interface EmulatedDeps {
  /** The architectures whose programs run here at this moment, besides this machine's own. */
  readonly emulated: () => Promise<readonly string[]>;
  /** Starts a worker that takes jobs of one. */
  readonly start: (arch: string) => Promise<Part>;
  readonly logger: Pick<Logger, 'error'>;
}

/** Milliseconds until what an administrator has installed meanwhile is seen. */
const pause = 10_000;

/**
 * Keeps a worker for each architecture that is emulated here, from the moment at which it is: jobs wait for it, as nobody
 * refuses them any more.
 *
 * @param period milliseconds between two looks
 */
export function keepEmulated({ emulated, start, logger }: EmulatedDeps, period = pause): Pick<Part, 'stop'> {
  const served = new Map<string, Part>();
  const serve = async (arch: string) => {
    const part = await start(arch);
    served.set(arch, part);
    void part.ended
      .catch((error) => logger.error({ err: error, arch }, 'the worker for another architecture has failed'))
      // Of its several workers one may have failed: the others end before all are begun anew.
      .then(() => part.stop())
      .catch(() => {})
      .then(() => served.delete(arch));
  };
  const looking = nowAndThen(async () => {
    try {
      for (const arch of await emulated()) if (!served.has(arch)) await serve(arch);
    } catch (error) {
      logger.error({ err: error }, 'no worker for another architecture could be started');
    }
  }, period);
  return {
    async stop() {
      await looking.stop();
      // What one has failed with is told already.
      await Promise.allSettled([...served.values()].map((part) => part.stop()));
    },
  };
}
