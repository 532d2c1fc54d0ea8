import { gateActor } from '../../pipelines/model/actor.ts';
import type { StoredGraph, SubmitInput, Submitted } from '../../workflows/contract.ts';
import { landingOf, type MergeDeps, recall } from './landing.ts';

/**
 * Takes back what hosts were told of the success of an item that is not merged, by this try or by one that ended in its
 * middle: with a vote that stays, people could merge what is about to be tested again. A host that is away is asked again.
 *
 * @param merged keys of its changes that are
 * @param answer what kept it from being merged
 */
export async function takeBack(
  deps: Pick<MergeDeps, 'host' | 'blobs'>,
  { input, merged = [] }: { readonly input: SubmitInput; readonly merged?: readonly string[] },
  { refused, moved, broken }: Omit<Submitted, 'merged'>,
): Promise<void> {
  const reason = refused ?? moved ?? broken;
  const { graph, changes } = input;
  const left = changes.filter(({ key, connection }) => !merged.includes(key) && deps.host(connection)?.withdraw);
  if (reason === undefined || graph === null || left.length === 0) return;
  const tested = await recall<StoredGraph>(deps.blobs, graph).catch(() => undefined);
  if (tested === undefined) return;
  for (const change of left) {
    const landing = landingOf(deps, { change, tested, input });
    // A host that fails now is told by the next try, or hears of the failure.
    if ('refused' in landing) continue;
    const { host, request } = landing;
    await host.withdraw?.(gateActor, { request, reason }).catch(() => {});
  }
}
