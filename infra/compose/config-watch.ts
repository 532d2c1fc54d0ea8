import type { Logger } from 'pino';
import type { LiveEvent } from '../../activities/report/port.ts';
import type { Problem } from '../../pipelines/model/position.ts';
import { type Reloaded, reloadedText } from '../../pipelines/report/config-notice.ts';
import { pipelineErrors, problemsUnread } from '../../pipelines/report/config-problems.ts';
import type { LiveConfig } from '../common/live-config.ts';

export interface ConfigWatchDeps {
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly publish: (event: LiveEvent) => void;
  /** What is wrong with the pipelines in force. */
  readonly problems: () => Promise<readonly Problem[]>;
}

/** Milliseconds between two looks at the file. */
const period = 2_000;

/** Says in the log, and to those who watch, when the configuration file begins to differ from what runs, or ceases to. */
export function keepTellingOf(config: LiveConfig, deps: ConfigWatchDeps) {
  const { logger, publish } = deps;
  let said: string | undefined;
  const look = () => {
    const notice = config.notice();
    if (notice?.text === said) return;
    if (notice !== null) logger.warn(notice.text);
    else logger.info('what runs is what the configuration file says');
    said = notice?.text;
    publish({ type: 'configuration', data: notice });
  };
  look();
  const timer = setInterval(look, period);
  const watch = {
    stop: () => clearInterval(timer),
    /** Reads the file again. What came of it, and what is wrong with the pipelines, is in the log. @throws likewise */
    reload(): Reloaded {
      try {
        const reloaded = config.reload();
        logger.info(reloadedText(reloaded));
        void tellErrors(deps);
        return reloaded;
      } catch (error) {
        logger.warn(`what was read before goes on: ${(error as Error).message}`);
        throw error;
      } finally {
        look();
      }
    },
    /** The same because of a signal, when the log says all. @returns why it was refused; undefined where it was not */
    reloadQuietly(): string | undefined {
      try {
        watch.reload();
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
  return watch;
}

async function tellErrors({ logger, problems }: ConfigWatchDeps): Promise<void> {
  try {
    for (const line of pipelineErrors(await problems())) logger.warn(line);
  } catch (error) {
    logger.warn(problemsUnread((error as Error).message));
  }
}
