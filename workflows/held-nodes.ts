import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  rootCause,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { readyIdsIn } from '../pipelines/nodes/ready.ts';
import { local, sweepActivities } from './activities.ts';
import type { HeldNodesInput } from './holds-contract.ts';
import { heldId, holdsId } from './ids.ts';
import { hear, messages, requireId, requireInput } from './input.ts';
import { debugUntilSignal, heldBegunSignal, heldEndedSignal, nodesClaimQuery } from './messages.ts';
import { tell } from './tell.ts';

/** Seconds until nodes that cannot be removed yet are removed again: at first, and at most. */
const pauses = { first: 30, most: 3600 } as const;

/**
 * Holds the nodes of a failed build as its job has left them, with what its provider counts for them, and removes them
 * at their time, or when the hold is deleted.
 */
export async function heldNodes(input: HeldNodesInput): Promise<void> {
  requireInput('heldNodes', input);
  const { tenant, hold, held, claim } = input;
  requireId(heldId(held.build));
  const state: { until: number | null } = { until: held.until };
  setHandler(nodesClaimQuery, () => claim);
  hear(debugUntilSignal, messages.until, ({ until }) => {
    state.until = until;
  });
  setCurrentDetails(held.nodes.map(({ command }) => `    ${command}`).join('\n'));
  try {
    if (!(await announce(tenant, { id: hold, held }))) return;
    await waitForEnd(state);
  } finally {
    await CancellationScope.nonCancellable(() => remove(input));
  }
}

async function waitForEnd(state: { readonly until: number | null }): Promise<void> {
  for (;;) {
    const { until } = state;
    const left = until === null ? undefined : until - Date.now();
    if (left !== undefined && left <= 0) return;
    const moved = () => state.until !== until;
    await (left === undefined ? condition(moved) : condition(moved, left));
  }
}

/** @returns false where there are no holds any more */
async function announce(
  tenant: string,
  begun: { readonly id: string; readonly held: HeldNodesInput['held'] },
): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(holdsId(tenant)).signal(heldBegunSignal, begun);
    return true;
  } catch (error) {
    log.info('the hold has been deleted meanwhile', { hold: begun.id, reason: rootCause(error) });
    return false;
  }
}

/** Tries until it is done: the machine that they are on may be away. */
async function remove({ tenant, held: { build }, claim, queue }: HeldNodesInput): Promise<void> {
  for (let pause: number = pauses.first; ; pause = Math.min(2 * pause, pauses.most)) {
    try {
      await sweepActivities(queue).sweepNodes({ build, ready: readyIdsIn(claim?.machines) });
      break;
    } catch (error) {
      log.warn('held nodes cannot be removed yet', { build, reason: rootCause(error) });
    }
    await sleep(`${pause}s`);
  }
  if (claim !== null) {
    const { provider, request } = claim;
    await local.returnNodes({ provider, token: request.token, removed: true });
  }
  await tell(holdsId(tenant), heldEndedSignal, { build, counts: true });
}
