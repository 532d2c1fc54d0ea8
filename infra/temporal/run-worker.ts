import { GracefulShutdownPeriodExpiredError, IllegalStateError, type Worker } from '@temporalio/worker';

/** The native worker counts who holds it, and at its end may still count a request that it was asked for. */
const counted = 'Worker still in use';

/**
 * Runs a worker until it has stopped: also one that was made to, though something that it ran did not end. What it left
 * goes on elsewhere, or when it is back. Where the native worker is still counted, that stands in the place of what it
 * ended with, which the SDK has logged.
 *
 * @throws what a worker failed with
 */
export async function runWorker(worker: Worker): Promise<void> {
  try {
    await worker.run();
  } catch (error) {
    if (error instanceof GracefulShutdownPeriodExpiredError) return;
    if (error instanceof IllegalStateError && error.message.startsWith(counted)) return;
    throw error;
  }
}
