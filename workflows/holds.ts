import {
  allHandlersFinished,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { counted } from '../pipelines/model/words.ts';
import {
  addHold,
  beginHeld,
  claimHold,
  deleteHold,
  endHeld,
  type Holds,
  holdOf,
  noHolds,
  returnHold,
} from '../pipelines/nodes/holds.ts';
import type { HoldsInput } from './holds-contract.ts';
import { heldId, holdsId } from './ids.ts';
import { hear, messages, requireId, requireInput, requireMessage } from './input.ts';
import {
  debugUntilSignal,
  heldBegunSignal,
  heldEndedSignal,
  holdAddUpdate,
  holdClaimUpdate,
  holdDeleteUpdate,
  holdsQuery,
} from './messages.ts';
import { tell } from './tell.ts';

/** History events after which the entity continues as new, when the server does not ask for it earlier. */
const defaultBudget = 2_000;

/**
 * The entity of a tenant's holds: failed builds ask it whether somebody wants to look at their nodes, and each of those
 * who hold some tells it when they are there, and when they are gone. It ends with its last hold.
 */
export async function holds(input: HoldsInput): Promise<void> {
  requireInput('holds', input);
  const { tenant, historyBudget = defaultBudget } = input;
  requireId(holdsId(tenant));
  let all = input.holds ?? noHolds;
  const keep = (next: Holds) => {
    all = next;
    setCurrentDetails(summaryOf(all));
  };
  keep(all);
  let isNew = input.holds === undefined;
  let telling = 0;
  /** Has the nodes of a build removed. One that has not begun to hold them asks when it does. */
  const end = (build: string) => {
    telling += 1;
    void tell(heldId(build), debugUntilSignal, { until: 0 }).finally(() => {
      telling -= 1;
    });
  };
  setHandler(
    holdAddUpdate,
    (wish) => {
      keep(addHold(all, wish));
      isNew = false;
      return holdOf(all, wish.id) ?? null;
    },
    { validator: (wish) => requireMessage(messages.holdWish, wish) },
  );
  setHandler(
    holdDeleteUpdate,
    ({ id }) => {
      const hold = holdOf(all, id) ?? null;
      for (const { build } of hold?.held ?? []) end(build);
      keep(deleteHold(all, id));
      return hold;
    },
    { validator: (which) => requireMessage(messages.id, which) },
  );
  setHandler(
    holdClaimUpdate,
    (build) => {
      const { all: after, hold } = claimHold(all, build);
      keep(after);
      return hold === null ? null : { id: hold.id, seconds: hold.seconds, reason: hold.reason };
    },
    { validator: (build) => requireMessage(messages.failedBuild, build) },
  );
  hear(heldBegunSignal, messages.heldBegun, (begun) => {
    const after = beginHeld(all, begun);
    if (after === null) end(begun.held.build);
    else keep(after);
  });
  hear(heldEndedSignal, messages.heldEnded, ({ build, counts }) => {
    keep(counts ? endHeld(all, build) : returnHold(all, build));
  });
  setHandler(holdsQuery, () => all);
  const spent = () => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > historyBudget;
  const over = () => !isNew && all.holds.length === 0;
  await condition(() => spent() || over());
  await condition(() => telling === 0 && allHandlersFinished());
  // Its last hold may have gone, or another one have come, meanwhile.
  if (!over()) await continueAsNew<typeof holds>({ ...input, holds: all });
}

/** What Temporal's UI shows: a run that goes on as new has lost the words that the first was started with. */
function summaryOf({ holds: wishes }: Holds): string {
  const held = wishes.reduce((sum, hold) => sum + hold.held.length, 0);
  return `${counted(wishes.length, 'hold')}, the nodes of ${counted(held, 'build')} held`;
}
