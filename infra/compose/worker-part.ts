import type { Worker } from '@temporalio/worker';
import type { Part } from '../stack/part.ts';
import { runWorker } from '../temporal/run-worker.ts';

/** Workers of one process as a part of the stack; `close` ends what they stand on, after them. */
export function workerPart(workers: readonly Worker[], close = async () => {}): Part {
  const running = workers.map(runWorker);
  const ended = Promise.all(running).then(() => {});
  let stopping: Promise<void> | undefined;
  const finish = async () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    // Where one has failed, the others still end.
    await Promise.allSettled(running);
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
