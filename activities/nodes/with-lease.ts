import type { Lease, LeaseRequest, Provider } from './port.ts';

/** What may end with the machines still in use: a stage that pauses. */
interface Ending {
  readonly paused?: unknown;
}

/** Works with what is lent, and gives it back however that ends, but for what is paused. */
export async function withLease<T extends object>(
  provider: Provider,
  request: LeaseRequest,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await provider.lend(request);
  let kept = false;
  try {
    const result = await work(lease);
    kept = (result as Ending).paused !== undefined;
    return result;
  } finally {
    if (!kept) await provider.release(lease);
  }
}
