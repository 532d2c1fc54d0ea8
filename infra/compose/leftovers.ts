import type { Logger } from 'pino';
import { EngineUnavailable } from '../../activities/nodes/engine-unavailable.ts';
import { sweepLeftovers } from '../../activities/nodes/leftovers.ts';
import type { Provider } from '../../activities/nodes/port.ts';
import { nowAndThen } from './now-and-then.ts';

export interface LeftoversDeps {
  readonly provider: Pick<Provider, 'list' | 'sweep'>;
  readonly isOpen: (workflow: string) => Promise<boolean>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** Milliseconds between two looks. */
const usualPeriod = 60_000;

/** Removes, now and then until it is stopped, the machines of this host whose workflows have ended without doing so. */
export function keepSweeping({ provider, isOpen, logger }: LeftoversDeps, period = usualPeriod) {
  const look = async () => {
    try {
      const builds = await sweepLeftovers(provider, isOpen);
      if (builds.length > 0) logger.info({ builds }, 'removed machines of jobs that have ended');
    } catch (error) {
      // Without an engine there is nothing to remove; what needs one says so.
      if (!(error instanceof EngineUnavailable))
        logger.warn({ error }, 'cannot look for machines of jobs that have ended');
    }
  };
  return nowAndThen(look, period);
}
