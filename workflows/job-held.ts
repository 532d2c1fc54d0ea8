import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  rootCause,
  startChild,
} from '@temporalio/workflow';
import { withoutPlace } from '../pipelines/nodes/desk.ts';
import type { JobInput, StageResult } from './contract.ts';
import { heldNodes } from './held-nodes.ts';
import type { HeldNodesInput, HeldStage } from './holds-contract.ts';
import { heldId, nodesId } from './ids.ts';
import { nodesHandedSignal } from './messages.ts';
import type { NodesClaim } from './nodes-contract.ts';
import { attributes } from './search-attributes.ts';

/**
 * Hands the nodes that a stage has left as they are on to a workflow of their own, with what the provider counts.
 *
 * @returns false where there are none, or nobody could take them: then they go with the job
 */
export async function handOnNodes(
  input: JobInput,
  { held: stage }: Pick<StageResult, 'held'>,
  claim: NodesClaim | null,
): Promise<boolean> {
  if (stage === undefined) return false;
  return CancellationScope.nonCancellable(async () => {
    try {
      await start(input, stage, claim);
    } catch (error) {
      log.warn('the nodes cannot be held', { build: stage.held.build, reason: rootCause(error) });
      return false;
    }
    if (claim !== null) await handOver(stage, claim);
    return true;
  });
}

async function start({ tenant, job }: JobInput, stage: HeldStage, claim: NodesClaim | null): Promise<void> {
  const { build } = stage.held;
  const workflowId = heldId(build);
  const mine = claim === null ? null : { ...claim, request: { ...withoutPlace(claim.request), ...newHolder(stage) } };
  const input: HeldNodesInput = { tenant, claim: mine, ...stage };
  try {
    await startChild(heldNodes, {
      args: [input],
      workflowId,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Nodes of ${job.name}, held`,
      staticDetails: `The nodes of the failed build **${build}**, as they are, for whoever has asked for the hold ${stage.hold}.`,
      typedSearchAttributes: attributes({ tenant, job: job.name }),
    });
  } catch (error) {
    // An earlier run has started it, and was not told.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Who answers for the machines from now on, and where they are removed. */
function newHolder({ held, queue }: HeldStage) {
  return { holder: heldId(held.build), queue };
}

async function handOver(stage: HeldStage, { provider, request: { token } }: NodesClaim): Promise<void> {
  try {
    await getExternalWorkflowHandle(nodesId(provider)).signal(nodesHandedSignal, { token, ...newHolder(stage) });
  } catch (error) {
    // A later life of the entity asks everybody what they hold.
    log.warn('nobody counts the nodes just now', { provider, reason: rootCause(error) });
  }
}
