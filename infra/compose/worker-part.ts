import type { Worker } from '@temporalio/worker';
import type { Part } from '../stack/part.ts';

/** A worker as a part of the stack; `close` ends what it stands on, after it. */
export function workerPart(worker: Worker, close: () => Promise<void>): Part {
  const ended = worker.run();
  let stopping: Promise<void> | undefined;
  const finish = async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
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
