import type { Logger } from 'pino';
import type { GivenProvider } from '../../activities/nodes/static/provider.ts';

/** Milliseconds between two looks. */
const usualPeriod = 60_000;

/** Cleans, at once and now and then until it is stopped, the static machines that nobody has and that are not clean. */
export function keepMending(
  { mend }: Pick<GivenProvider, 'mend'>,
  logger: Pick<Logger, 'info' | 'warn'>,
  period = usualPeriod,
) {
  let told: ReadonlyMap<string, string | undefined> = new Map();
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      const mended = await mend();
      for (const { name, why } of mended) {
        if (told.has(name) && told.get(name) === why) continue;
        if (why === undefined) logger.info({ machine: name }, 'a static machine is clean, and in service');
        else logger.warn({ machine: name, why }, 'a static machine is out of service');
      }
      told = new Map(mended.filter(({ why }) => why !== undefined).map(({ name, why }) => [name, why]));
    } catch (error) {
      logger.warn({ error }, 'cannot look after static machines');
    } finally {
      busy = false;
    }
  };
  void look();
  const timer = setInterval(look, period);
  // A cleaning under way is not waited for: what is not known to be clean is cleaned again.
  return { stop: () => clearInterval(timer) };
}
