import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { BuildIdentity, HoldGrant } from '../../workflows/contract.ts';
import { holdsId } from '../../workflows/ids.ts';
import { heldEndedSignal, holdClaimUpdate } from '../../workflows/messages.ts';
import { isOpen } from './open.ts';

/** Milliseconds in which it is known whether a failed build is to be held: its verdict waits for it. */
const patience = 30_000;

/**
 * Asks whether somebody wants to look at a failed build's nodes, who is counted for it then.
 *
 * @throws when nobody answers in time
 */
export async function claimHoldFor(
  client: Client,
  { id, tenant, job, project, change }: BuildIdentity,
): Promise<HoldGrant | null> {
  const entity = holdsId(tenant);
  return client.withDeadline(Date.now() + patience, async () => {
    if (!(await isOpen(client, entity))) return null;
    try {
      return await client.workflow
        .getHandle(entity)
        .executeUpdate(holdClaimUpdate, { args: [{ id, job, project, change }] });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  });
}

/** A build that was counted cannot be held: another one is to be. */
export async function returnHoldOf(client: Client, { id, tenant }: BuildIdentity): Promise<void> {
  try {
    await client.workflow.getHandle(holdsId(tenant)).signal(heldEndedSignal, { build: id, counts: false });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
