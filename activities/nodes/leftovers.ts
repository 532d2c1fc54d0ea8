import { heldId } from '../../workflows/ids.ts';
import type { Provider } from './port.ts';

/**
 * Removes what was made for workflows that have ended: of a worker that was killed, of jobs that nobody counts, of leases
 * that nobody remembers. What has no holder is left alone, and so is a build of which one holder is left, or that somebody
 * else holds by now.
 *
 * @returns the builds of which everything was removed
 * @throws EngineUnavailable
 */
export async function sweepLeftovers(
  provider: Pick<Provider, 'list' | 'sweep'>,
  isOpen: (workflow: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const holders = new Map<string, (string | undefined)[]>();
  for (const { build, holder } of await provider.list()) {
    holders.set(build, [...(holders.get(build) ?? []), holder]);
  }
  const swept: string[] = [];
  for (const [build, all] of holders) {
    const held = await Promise.all(all.map(async (holder) => holder === undefined || isOpen(holder)));
    if (held.includes(true) || (await isOpen(heldId(build)))) continue;
    await provider.sweep(build);
    swept.push(build);
  }
  return swept;
}
