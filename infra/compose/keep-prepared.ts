import type { Logger } from 'pino';
import type { Stale } from '../../activities/nodes/vm/stale.ts';

export interface PreparedDeps {
  readonly stale: () => Promise<readonly Stale[]>;
  /** Begins a preparation, or joins the one that is under way. */
  readonly prepare: (platform: string) => Promise<unknown>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** Milliseconds between two looks. */
const usualPeriod = 60_000;

/**
 * Has the machines of a platform prepared when what they are made of has changed, until it is stopped. What has failed
 * is tried again when it changes again: besides, there is the night.
 */
export function keepPrepared({ stale, prepare, logger }: PreparedDeps, period = usualPeriod) {
  const asked = new Map<string, string>();
  let looking: Promise<void> | undefined;
  let told: string | undefined;
  const look = async () => {
    try {
      for (const { platform, reason, wanted } of await stale()) {
        const what = JSON.stringify(wanted);
        if (asked.get(platform) === what) continue;
        logger.info({ platform, reason }, 'the machines of a platform are prepared anew');
        await prepare(platform);
        asked.set(platform, what);
      }
      told = undefined;
    } catch (error) {
      const words = String(error);
      if (words !== told) logger.warn({ error }, 'cannot see whether machines are to be prepared anew');
      told = words;
    }
  };
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, period);
  return {
    async stop(): Promise<void> {
      clearInterval(timer);
      await looking;
    },
  };
}
