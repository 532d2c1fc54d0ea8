import type { Logger } from 'pino';
import type { Host } from '../../activities/nodes/vm/hosts/port.ts';
import { type HostState, writeHostState } from '../../activities/nodes/vm/hosts/states.ts';
import { nowAndThen } from './now-and-then.ts';

/** Milliseconds between two looks whether a host answers. */
const period = 10_000;

/**
 * Looks whether a host answers, now and then and whenever somebody finds that it does not, and says so to who lends its
 * machines. One that is back takes jobs again when what ended ones have left there is removed: it counts for nobody.
 */
export function watchHost<H extends Host>(own: H, states: string, logger: Pick<Logger, 'info' | 'warn'>) {
  const { name } = own;
  let state: HostState['state'] | undefined;
  let saying = Promise.resolve();
  let clean: () => Promise<unknown> = async () => {};
  let looking: ReturnType<typeof nowAndThen> | undefined;
  // One after the other, so that what was said last is what is written.
  const say = (next: HostState['state'], why = '') => {
    saying = saying
      .catch(() => {})
      .then(async () => {
        if (state === next || state === 'stopped') return;
        await writeHostState(states, name, { state: next, since: Date.now(), why });
        state = next;
        if (next === 'open') logger.info({ host: name }, 'a host takes jobs');
        if (next === 'away') logger.warn({ host: name, reason: why }, 'a host takes no jobs');
      });
    return saying;
  };
  const unsaid = (error: unknown) => logger.warn({ error, host: name }, 'nobody knows how a host is');
  const host: H = {
    ...own,
    answers: () =>
      own.answers().catch(async (error: Error) => {
        await say('away', error.message);
        throw error;
      }),
  };
  const look = async () => {
    try {
      await host.answers();
      if (state !== 'open') await clean();
      await say('open');
    } catch (error) {
      await say('away', error instanceof Error ? error.message : String(error));
    }
  };
  return {
    host,
    /** @param cleaning removes what ended jobs have left */
    begin(cleaning: () => Promise<unknown>): void {
      clean = cleaning;
      looking = nowAndThen(() => look().catch(unsaid), period);
    },
    /** However long it takes until somebody watches it again, the host is none that is out of service. */
    async stop(): Promise<void> {
      await looking?.stop();
      await say('stopped').catch(unsaid);
    },
  };
}
