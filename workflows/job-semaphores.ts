import { CancellationScope, condition, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { SemaphoreRequest } from '../pipelines/gate/semaphore-desk.ts';
import { type SemaphorePhases, semaphorePhases, semaphoreReason } from '../pipelines/gate/semaphores.ts';
import { freely } from '../pipelines/jobs/pending.ts';
import { control, local } from './activities.ts';
import type { JobInput, JobStart } from './contract.ts';
import { hear, messages } from './input.ts';
import { recordBegun, recordWaiting, tellWaiting } from './job-waiting.ts';
import { semaphoresClaimQuery, semaphoresGrantedSignal } from './messages.ts';
import { jobHas } from './patches.ts';
import type { SemaphoreClaim } from './semaphore-contract.ts';

/** How long a job waits for a word before it asks again: the entity may have been ended and started anew. */
const patience = '10m';

/** A job's side of semaphores: those that it takes before its nodes, and those that it takes when they are there. */
export class JobSemaphores {
  readonly #input: JobInput;
  readonly #start: JobStart;
  readonly #phases: SemaphorePhases;
  #claim: SemaphoreClaim | null = null;

  constructor(input: JobInput, start: JobStart) {
    this.#input = input;
    this.#start = start;
    const { beforeNodes, afterNodes } = semaphorePhases(input.job);
    const late = afterNodes.length > 0 && jobHas(start, 'semaphores-after-nodes');
    this.#phases = late
      ? { beforeNodes, afterNodes }
      : { beforeNodes: [...beforeNodes, ...afterNodes], afterNodes: [] };
  }

  /**
   * Does a job's work while it holds all semaphores of a phase, and gives them back however that ends.
   *
   * @param startTime since when it waits for nothing else, in milliseconds since the epoch
   * @param work gets the time at which the job could run
   */
  async with<T>(phase: keyof SemaphorePhases, startTime: number, work: (startTime: number) => Promise<T>): Promise<T> {
    const names = this.#phases[phase];
    if (names.length === 0) return work(startTime);
    const { tenant, priority = freely.priority } = this.#input;
    const before = this.#claim;
    const kept = before === null ? {} : { beside: before.request.token };
    const request = { holder: workflowInfo().workflowId, token: uuid4(), ...kept, names, priority };
    const claim = { tenant, request, ...(before === null ? {} : { beside: before.request }) };
    this.#claim = { ...claim, held: false };
    setHandler(semaphoresClaimQuery, () => this.#claim);
    const granted = () => {
      this.#claim = { ...claim, held: true };
    };
    try {
      return await work(await take({ input: this.#input, start: this.#start, startTime, request, granted }));
    } finally {
      await CancellationScope.nonCancellable(() => local.releaseSemaphores({ tenant, token: request.token }));
      this.#claim = before;
    }
  }
}

interface Taking {
  readonly input: JobInput;
  readonly start: JobStart;
  readonly startTime: number;
  readonly request: SemaphoreRequest;
  /** Notes that they are held. */
  readonly granted: () => void;
}

/** @returns when the semaphores were all there */
async function take({ input, start, startTime, request, granted }: Taking): Promise<number> {
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
    return startTime;
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
