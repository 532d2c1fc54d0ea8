import { randomBytes } from 'node:crypto';
import { type Client, WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import type { Actor } from '../pipelines/model/actor.ts';
import type { Hold, HoldScope } from '../pipelines/nodes/holds.ts';
import { demand } from '../pipelines/policy/access.ts';
import { type HoldsInput, taskQueues } from '../workflows/contract.ts';
import { holdsId } from '../workflows/ids.ts';
import { holdAddUpdate, holdDeleteUpdate, holdsQuery } from '../workflows/messages.ts';
import { attributes } from '../workflows/search-attributes.ts';
import { lookAtLastRun } from './last-run.ts';

export interface HoldRequest extends HoldScope {
  readonly reason: string;
  readonly count: number;
  /** Null: until the hold is deleted. */
  readonly seconds: number | null;
}

/** What people ask for about the nodes of jobs that fail. */
export interface NodeHolds {
  /** The nodes of the next failed builds of such a job are to stay as they are. */
  add(actor: Actor, request: HoldRequest): Promise<Hold>;
  list(): Promise<readonly Hold[]>;
  /** Has nothing more held, and what is held removed. @returns what it was; null for one that there is not */
  delete(actor: Actor, id: string): Promise<Hold | null>;
}

export function createHolds({ client, tenant }: { readonly client: Client; readonly tenant: string }): NodeHolds {
  const workflowId = holdsId(tenant);
  return {
    async add(actor, request) {
      demand(actor, 'hold', { name: request.job });
      const wish = { ...request, id: randomBytes(4).toString('hex'), by: actor.name, time: Date.now() };
      const startWorkflowOperation = entityOf(tenant);
      const args: [typeof wish] = [wish];
      const hold = await client.workflow.executeUpdateWithStart(holdAddUpdate, { startWorkflowOperation, args });
      return hold ?? { ...wish, builds: [], held: [] };
    },
    async list() {
      if ((await lookAtLastRun(client, workflowId)).state !== 'running') return [];
      return (await client.workflow.getHandle(workflowId).query(holdsQuery)).holds;
    },
    async delete(actor, id) {
      demand(actor, 'hold', { name: id });
      try {
        return await client.workflow.getHandle(workflowId).executeUpdate(holdDeleteUpdate, { args: [{ id }] });
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      }
    },
  };
}

function entityOf(tenant: string) {
  return new WithStartWorkflowOperation<(input: HoldsInput) => Promise<void>>('holds', {
    workflowId: holdsId(tenant),
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue: taskQueues.control,
    args: [{ tenant }],
    staticSummary: 'Nodes that are to be held',
    staticDetails: 'Whose nodes stay as they are when a build fails, and which do now.',
    typedSearchAttributes: attributes({ tenant }),
  });
}
