import { CancellationScope, condition, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { SemaphoreRequest } from '../pipelines/gate/semaphore-desk.ts';
import { semaphoreNames, semaphoreReason } from '../pipelines/gate/semaphores.ts';
import { freely } from '../pipelines/jobs/pending.ts';
import { control, local } from './activities.ts';
import type { JobInput, JobStart } from './contract.ts';
import { hear, messages } from './input.ts';
import { recordBegun, recordWaiting, tellWaiting } from './job-waiting.ts';
import { semaphoresClaimQuery, semaphoresGrantedSignal } from './messages.ts';
import type { SemaphoreClaim } from './semaphore-contract.ts';

/** How long a job waits for a word before it asks again: the entity may have been ended and started anew. */
const patience = '10m';

/**
 * Does a job's work while it holds all of its semaphores, and gives them back however that ends.
 *
 * @param work gets the time at which the job could run, in milliseconds since the epoch
 */
export async function withSemaphores<T>(
  input: JobInput,
  start: JobStart,
  work: (startTime: number) => Promise<T>,
): Promise<T> {
  const names = semaphoreNames(input.job);
  if (names.length === 0) return work(start.time);
  const { tenant, priority = freely.priority } = input;
  const request = { holder: workflowInfo().workflowId, token: uuid4(), names, priority };
  let claim: SemaphoreClaim | null = { tenant, request, held: false };
  setHandler(semaphoresClaimQuery, () => claim);
  const granted = () => {
    claim = { tenant, request, held: true };
  };
  try {
    return await work(await take({ input, start, request, granted }));
  } finally {
    await CancellationScope.nonCancellable(() => local.releaseSemaphores({ tenant, token: request.token }));
    claim = null;
  }
}

interface Taking {
  readonly input: JobInput;
  readonly start: JobStart;
  readonly request: SemaphoreRequest;
  /** Notes that they are held. */
  readonly granted: () => void;
}

/** @returns when the semaphores were all there */
async function take({ input, start, request, granted }: Taking): Promise<number> {
  const { tenant } = input;
  const word = { granted: false };
  hear(semaphoresGrantedSignal, messages.token, ({ token }) => {
    // A word for an earlier run of the same workflow, which a reset repeats, is none for this one.
    if (token !== request.token) return;
    word.granted = true;
    granted();
  });
  let missing = await control.askSemaphores({ tenant, request });
  if (missing.length === 0) {
    granted();
    return start.time;
  }
  const reason = semaphoreReason(missing);
  await recordWaiting(input, start, reason);
  await tellWaiting(input, start, [reason]);
  while (missing.length > 0 && !(await condition(() => word.granted, patience))) {
    missing = await control.askSemaphores({ tenant, request });
  }
  granted();
  const time = await recordBegun(input, start);
  // The work need not wait until this has arrived, and if it is cancelled it says so itself.
  void tellWaiting(input, start, []).catch(() => undefined);
  return time;
}
