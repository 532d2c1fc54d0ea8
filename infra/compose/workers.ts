import { hostArch } from '../../activities/host-arch.ts';
import { taskQueues } from '../../workflows/contract.ts';
import type { Part } from '../stack/part.ts';
import type { StackConfig } from '../stack/settings.ts';

type Start = (config: StackConfig, told: AbortSignal) => Promise<Part>;

/** Each queue loads only what its worker needs: the signer knows nothing of containers. */
const starts: Readonly<Record<string, () => Promise<Start>>> = {
  [taskQueues.build(hostArch())]: async () => (await import('./build-worker.ts')).startBuildWorker,
  [taskQueues.sign]: async () => (await import('./signer.ts')).startSigner,
};

/** The queues that a worker on this machine can serve. */
export function workerQueues(): readonly string[] {
  return Object.keys(starts);
}

interface Wanted {
  readonly queues: readonly string[];
  /** Says that this process is told to end. */
  readonly told: AbortSignal;
}

/** Starts the workers of several queues as one part. */
export async function startWorkers(config: StackConfig, { queues, told }: Wanted): Promise<Part> {
  const parts = await Promise.all(queues.map(async (queue) => (await starts[queue]?.())?.(config, told)));
  const started = parts.filter((part) => part !== undefined);
  return {
    ended: Promise.race(started.map(({ ended }) => ended)),
    stop: async () => void (await Promise.all(started.map((part) => part.stop()))),
  };
}
