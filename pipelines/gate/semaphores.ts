import type { FrozenJob, JobSemaphore } from '../model/job.ts';

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
  request: { readonly holder: string; readonly semaphores: readonly Pick<JobSemaphore, 'name'>[] },
): SemaphoreHolders | undefined {
  const next: Record<string, readonly string[]> = { ...holders };
  for (const { name } of request.semaphores) {
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

/** Names of all semaphores that a job needs: its own, and those of its playbooks. */
export function semaphoreNames(job: Pick<FrozenJob, 'semaphores' | 'preRun' | 'run' | 'postRun'>): readonly string[] {
  const playbooks = [...job.preRun, ...job.run, ...job.postRun].flatMap((playbook) => playbook.semaphores);
  return [...new Set([...job.semaphores.map(({ name }) => name), ...playbooks])];
}

/** Why a job has not started, as `sluice status` and the page show it. */
export function semaphoreReason(names: readonly string[]): string {
  return `semaphores: ${names.join(', ')}`;
}
