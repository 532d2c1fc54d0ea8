import type { FrozenJob } from '../model/job.ts';

/** Who holds which semaphore: name to holders. A holder is the key of an attempt at a job. */
export type SemaphoreHolders = Readonly<Record<string, readonly string[]>>;

/** Limits by name; a semaphore that is not named is a mutex. */
export type SemaphoreLimits = Readonly<Record<string, number>>;

/**
 * Takes all of the semaphores or none. What the holder has already, it keeps.
 *
 * @returns the holders afterwards, or undefined when one of the semaphores is taken.
 */
export function acquire(
  holders: SemaphoreHolders,
  limits: SemaphoreLimits,
  request: { readonly holder: string; readonly names: readonly string[] },
): SemaphoreHolders | undefined {
  const next: Record<string, readonly string[]> = { ...holders };
  for (const name of request.names) {
    const held = next[name] ?? [];
    if (held.includes(request.holder)) continue;
    if (held.length >= (limits[name] ?? 1)) return undefined;
    next[name] = [...held, request.holder];
  }
  return next;
}

/** Gives back all that the holder has. */
export function release(holders: SemaphoreHolders, holder: string): SemaphoreHolders {
  if (!Object.values(holders).some((held) => held.includes(holder))) return holders;
  const left = Object.entries(holders).map(([name, held]) => [name, held.filter((one) => one !== holder)] as const);
  return Object.fromEntries(left.filter(([, held]) => held.length > 0));
}

/** Names of semaphores that a job takes together. */
export interface SemaphorePhases {
  /** Before it asks for its nodes. */
  readonly beforeNodes: readonly string[];
  /** When its nodes are there, and before it runs: `resources-first`. */
  readonly afterNodes: readonly string[];
}

/** All semaphores that a job needs, each once: its own, and those of its playbooks. */
export function semaphorePhases(job: Pick<FrozenJob, 'semaphores' | 'preRun' | 'run' | 'postRun'>): SemaphorePhases {
  const playbooks = [...job.preRun, ...job.run, ...job.postRun].flatMap((playbook) => playbook.semaphores);
  const all = new Set([...job.semaphores.map(({ name }) => name), ...playbooks]);
  const late = new Set(job.semaphores.filter(({ resourcesFirst }) => resourcesFirst).map(({ name }) => name));
  return { beforeNodes: [...all].filter((name) => !late.has(name)), afterNodes: [...late] };
}

/** Why a job has not started, as `sluice status` and the page show it. */
export function semaphoreReason(names: readonly string[]): string {
  return `semaphores: ${names.join(', ')}`;
}
