import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { RetainedSet } from '../activities/mirror/retain.ts';
import { heartbeatTimeout } from './activities.ts';
import type { MirrorEntityInput, MirrorRequest } from './contract.ts';
import { mirrorId } from './ids.ts';
import { hear, messages, requireId, requireInput } from './input.ts';
import { mirrorQuery, mirrorSignal, mirrorSyncUpdate } from './messages.ts';

/** What the entity asks of the mirrors' activities. */
export interface MirrorActivities {
  /** One transaction over the set; finishes or undoes an interrupted one first. */
  syncMirrors(input: { readonly set: string; readonly release?: string }): Promise<{ readonly outcome: string }>;
}

/** What retention asks of the control worker. */
export interface MirrorRetentionActivities {
  retainMirrors(input: { readonly tenant: string }): Promise<readonly RetainedSet[]>;
}

const { syncMirrors } = proxyActivities<MirrorActivities>({
  startToCloseTimeout: '6h',
  heartbeatTimeout,
  retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '5m' },
});

/** How long after a sync that left hosts behind the next one follows by itself. */
const convergence = '5m';

/** The entity of one set of mirrors: one transaction at a time; requests that come meanwhile become one. */
export async function mirror(input: MirrorEntityInput): Promise<void> {
  requireInput('mirror', input);
  requireId(mirrorId(input.set));
  const { set } = input;
  let { paused, pending, outcome } = input;
  hear(mirrorSignal, messages.mirrorRequest, (request) => {
    if (request.action === 'sync') pending = request;
    else paused = request.action === 'pause';
  });
  let [begun, ended] = [0, 0];
  setHandler(mirrorSyncUpdate, async () => {
    pending = { action: 'sync' };
    // What is going on has looked at the source already.
    const next = begun + 1;
    await condition(() => ended >= next || paused);
    return { outcome: ended >= next ? (outcome ?? 'unchanged') : 'paused' };
  });
  setHandler(mirrorQuery, () => ({ set, paused, pending: pending !== null, outcome }));
  while (!workflowInfo().continueAsNewSuggested || !allHandlersFinished()) {
    const wanted = () => pending !== null && !paused;
    if (outcome === 'partial') await condition(wanted, convergence);
    else await condition(wanted);
    if (paused) continue;
    const request: MirrorRequest | null = pending;
    pending = null;
    begun += 1;
    ({ outcome } = await syncMirrors({ set, ...(request?.release === undefined ? {} : { release: request.release }) }));
    ended = begun;
    setCurrentDetails(`last sync: **${outcome}**`);
  }
  await continueAsNew({ set, paused, pending, outcome });
}
