import { GracefulShutdownPeriodExpiredError, type Worker } from '@temporalio/worker';
import type { Part } from '../stack/part.ts';

/** Workers of one process as a part of the stack; `close` ends what they stand on, after them. */
export function workerPart(workers: readonly Worker[], close: () => Promise<void>): Part {
  const ended = Promise.all(workers.map(run)).then(() => {});
  let stopping: Promise<void> | undefined;
  const finish = async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await ended;
    await close();
  };
  return {
    ended,
    stop() {
      stopping ??= finish();
      return stopping;
    },
  };
}

/** One that was made to stop has stopped: what it left goes on elsewhere, or when it is back. */
async function run(worker: Worker): Promise<void> {
  try {
    await worker.run();
  } catch (error) {
    if (!(error instanceof GracefulShutdownPeriodExpiredError)) throw error;
  }
}
