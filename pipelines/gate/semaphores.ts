import type { JobSemaphore } from '../model/job.ts';

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
  request: { readonly holder: string; readonly semaphores: readonly JobSemaphore[] },
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
