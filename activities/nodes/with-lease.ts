import type { Lease, LeaseRequest, Provider } from './port.ts';

/** What may end with the machines still in use: a stage that pauses, or whose machines are held. */
interface Ending {
  readonly paused?: unknown;
  readonly held?: unknown;
}

/**
 * Works with what is lent, and gives it back however that ends, but for what is paused, or held.
 *
 * @returns what the work has come to, which stands where what was lent cannot be removed: it is swept later
 */
export async function withLease<T extends object>(
  provider: Provider,
  request: LeaseRequest,
  work: (lease: Lease) => Promise<T>,
): Promise<T & { readonly left?: true }> {
  const lease = await provider.lend(request);
  const tell = request.waiting?.tell;
  let result: T;
  try {
    result = await work(lease);
  } catch (error) {
    // What has kept the work from its end is often what keeps the machines from theirs: the first is told.
    await isReleased(provider, lease, tell).catch(() => false);
    throw error;
  }
  const { paused, held }: Ending = result;
  if (paused !== undefined || held !== undefined || (await isReleased(provider, lease, tell))) return result;
  return { ...result, left: true };
}

/** @throws what keeps it from being released, where nobody hears of that */
async function isReleased(provider: Provider, lease: Lease, tell?: (line: string) => void): Promise<boolean> {
  try {
    await provider.release(lease);
    return true;
  } catch (error) {
    if (tell === undefined) throw error;
    tell(`not all of the job's machines are removed yet: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}
