import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  rootCause,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { readyIdsIn } from '../pipelines/nodes/ready.ts';
import { local, sweepActivities } from './activities.ts';
import type { HeldNodesInput } from './holds-contract.ts';
import { heldId, holdsId } from './ids.ts';
import { hear, messages, requireId, requireInput } from './input.ts';
import {
  debugUntilSignal,
  heldBegunSignal,
  heldEndedSignal,
  heldLeftSignal,
  heldStuckQuery,
  nodesClaimQuery,
} from './messages.ts';
import { tell } from './tell.ts';

/** Seconds until nodes that cannot be removed yet are removed again: at first, and at most. */
const pauses = { first: 30, most: 3600 } as const;

/**
 * Holds the nodes of a failed build as its job has left them, with what its provider counts for them, and removes them
 * at their time, or when the hold is deleted. Where their host is not configured any more they are given up then.
 */
export async function heldNodes(input: HeldNodesInput): Promise<void> {
  requireInput('heldNodes', input);
  const { tenant, hold, held, claim } = input;
  requireId(heldId(held.build));
  const state: State = { until: held.until, stuck: false, left: false };
  setHandler(nodesClaimQuery, () => claim);
  hear(debugUntilSignal, messages.until, ({ until }) => {
    state.until = until;
  });
  setHandler(heldStuckQuery, () => state.stuck);
  setHandler(heldLeftSignal, () => {
    state.left = true;
  });
  setCurrentDetails(held.nodes.map(({ command }) => `    ${command}`).join('\n'));
  try {
    if (!(await announce(tenant, { id: hold, held }))) return;
    await waitForEnd(state);
  } finally {
    await CancellationScope.nonCancellable(() => remove(input, state));
  }
}

interface State {
  until: number | null;
  /** They are to be removed, and could not be yet. */
  stuck: boolean;
  /** Their host is not configured any more. */
  left: boolean;
}

async function waitForEnd(state: Pick<State, 'until'>): Promise<void> {
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

/** Tries until it is done, for the machine that they are on may be away, or until that is not configured any more. */
async function remove({ tenant, held: { build, host }, claim, queue }: HeldNodesInput, state: State): Promise<void> {
  for (let pause: number = pauses.first; ; pause = Math.min(2 * pause, pauses.most)) {
    try {
      await sweepActivities(queue).sweepNodes({ build, ready: readyIdsIn(claim?.machines) });
      break;
    } catch (error) {
      log.warn('held nodes cannot be removed yet', { build, reason: rootCause(error) });
    }
    state.stuck = true;
    if (await condition(() => state.left, `${pause}s`)) {
      log.warn('held nodes are given up: their host is not configured any more', { build, host });
      break;
    }
  }
  if (claim !== null) {
    const { provider, request } = claim;
    await local.returnNodes({ provider, token: request.token, removed: true });
  }
  await tell(holdsId(tenant), heldEndedSignal, { build, counts: true });
}
