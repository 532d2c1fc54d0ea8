import type { Lease, LeaseRequest, Provider } from './port.ts';

/** What may end with the machines still in use: a stage that pauses, or whose machines are held. */
interface Ending {
  readonly paused?: unknown;
  readonly held?: unknown;
}

/** Works with what is lent, and gives it back however that ends, but for what is paused, or held. */
export async function withLease<T extends object>(
  provider: Provider,
  request: LeaseRequest,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await provider.lend(request);
  let kept = false;
  try {
    const result = await work(lease);
    const { paused, held }: Ending = result;
    kept = paused !== undefined || held !== undefined;
    return result;
  } finally {
    if (!kept) await provider.release(lease);
  }
}
