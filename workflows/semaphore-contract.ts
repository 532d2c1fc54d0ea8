import type { SemaphoreClaims, SemaphoreDesk, SemaphoreRequest } from '../pipelines/gate/semaphore-desk.ts';
import type { SemaphoreLimits } from '../pipelines/gate/semaphores.ts';

/** Input of the `semaphores` workflow: the tenant's name, and what an earlier run left. */
export interface SemaphoresInput {
  readonly tenant: string;
  readonly desk?: SemaphoreDesk;
  /** Forced for tests: history events until it continues as new, and seconds between looks at what holders do. */
  readonly historyBudget?: number;
  readonly lookEvery?: number;
}

/** A request for semaphores, with the limits that are in force for them. */
export interface SemaphoreAsk {
  readonly request: SemaphoreRequest;
  readonly limits: SemaphoreLimits;
}

/** What a job says of itself: the semaphores that it holds, or waits for. */
export interface SemaphoreClaim {
  readonly tenant: string;
  readonly request: SemaphoreRequest;
  readonly held: boolean;
  /** What it holds besides, from before. */
  readonly beside?: SemaphoreRequest;
}

/** What all jobs of a tenant say, with the limits that are in force. */
export interface SemaphoreMemory extends SemaphoreClaims {
  readonly limits: SemaphoreLimits;
  /** The run that has asked. */
  readonly by?: string;
}

/** Those who keep others waiting, and the semaphores that are waited for. */
export interface SemaphoreLook {
  readonly holding: readonly Pick<SemaphoreRequest, 'holder' | 'token'>[];
  readonly names: readonly string[];
}

/** Tokens of those who have ended without giving back, and what the limits are now. */
export interface SemaphoreNews {
  readonly over: readonly string[];
  readonly limits: SemaphoreLimits;
}
