import type { Logger } from 'pino';
import type { LiveEvent } from '../../activities/report/port.ts';
import { reloadedText } from '../../pipelines/report/config-notice.ts';
import type { LiveConfig } from './live-config.ts';

export interface ConfigWatchDeps {
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly publish: (event: LiveEvent) => void;
}

/** Milliseconds between two looks at the file. */
const period = 2_000;

/** Says in the log, and to those who watch, when the configuration file begins to differ from what runs, or ceases to. */
export function keepTellingOf(config: LiveConfig, { logger, publish }: ConfigWatchDeps) {
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
  return {
    stop: () => clearInterval(timer),
    /** Reads the file again because this process was told to by a signal: what came of it is in the log. */
    reload() {
      try {
        logger.info(reloadedText(config.reload()));
      } catch (error) {
        logger.warn(`what was read before goes on: ${(error as Error).message}`);
      }
      look();
    },
  };
}
