import { DefaultLogger, Runtime } from '@temporalio/worker';
import pino, { type DestinationStream, type Logger } from 'pino';

/**
 * The log of one of Sluice's processes, in the one form that all have: a JSON object a line with `time` (ISO 8601),
 * `level`, `part` and `msg`.
 *
 * @param part which process: `server`, `build-worker`, `signer`
 */
export function createLogger(part: string, destination?: DestinationStream): Logger {
  const settings = {
    level: 'info',
    base: { part },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

/** Has Temporal's library say what it says through the same log. Once in a process, before it connects. */
export function logTemporal(logger: Logger): void {
  const log = new DefaultLogger('INFO', ({ level, message, meta }) => logger[levels[level]](meta ?? {}, message));
  Runtime.install({
    logger: log,
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
}

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
