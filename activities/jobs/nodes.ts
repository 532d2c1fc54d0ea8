import { type Client, WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import type { Capacity } from '../../pipelines/nodes/capacity.ts';
import { isLeft } from '../../pipelines/nodes/stock.ts';
import type { ControlActivities } from '../../workflows/activities.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { nodesId } from '../../workflows/ids.ts';
import {
  heldLeftSignal,
  heldStuckQuery,
  nodesLostSignal,
  nodesReleaseSignal,
  nodesUpdate,
} from '../../workflows/messages.ts';
import type { NodesInput, PlacedLease } from '../../workflows/nodes-contract.ts';
import { attributes } from '../../workflows/search-attributes.ts';
import { nodesClaimsOf } from './claims.ts';
import { endedOf } from './open.ts';

/** Milliseconds for an answer. */
const patience = 10_000;

export interface NodesDeps {
  readonly client: Client;
  /** What a provider has, as configured now. */
  readonly capacity: (provider: string) => Promise<Capacity>;
}

type NodesActivities = Pick<ControlActivities, 'askNodes' | 'returnNodes' | 'lookAtNodes'>;

/** The way from jobs to the entity of a provider's machines, and from there to what is configured and running. */
export function createNodesActivities({ client, capacity }: NodesDeps): NodesActivities {
  return {
    async askNodes({ provider, request }) {
      const startWorkflowOperation = entityOf(provider);
      const ask = { request, capacity: await capacity(provider) };
      return client.workflow.executeUpdateWithStart(nodesUpdate, { startWorkflowOperation, args: [ask] });
    },

    async returnNodes({ provider, token, removed }) {
      try {
        const entity = client.workflow.getHandle(nodesId(provider));
        await entity.signal(removed ? nodesReleaseSignal : nodesLostSignal, { token });
      } catch (error) {
        // Without the entity nobody holds anything.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },

    async lookAtNodes({ provider, holding, placed = [], run, recalledBy }) {
      const lost = await endedOf(client, holding);
      const now = await capacity(provider);
      const stranded = placed.filter(({ queue }) => isLeft({ capacity: now }, queue));
      const isOver = (lease: PlacedLease) => lease.lost || lost.includes(lease.token);
      for (const lease of stranded) if (!isOver(lease)) await tellStranded(client, lease.holder);
      // The worker of a host that was taken out serves on for a while, and may still remove what is there.
      const left = stranded.filter(({ stuck }) => stuck).map(({ token }) => token);
      const news = { lost, left, capacity: now };
      if (run === undefined || run === recalledBy) return news;
      return { ...news, recalled: { by: run, ...(await nodesClaimsOf(client, provider)) } };
    },
  };
}

/** Tells one who waits to remove held nodes that nobody ever will. */
async function tellStranded(client: Client, holder: string): Promise<void> {
  const held = client.workflow.getHandle(holder);
  try {
    const isStuck = await client.withDeadline(Date.now() + patience, () => held.query(heldStuckQuery));
    if (isStuck) await held.signal(heldLeftSignal);
  } catch {
    // A job knows no such question; who cannot answer now is asked at the next look.
  }
}

function entityOf(provider: string) {
  return new WithStartWorkflowOperation<(input: NodesInput) => Promise<void>>('nodes', startOfNodes(provider));
}

/** How the entity of a provider's machines is started where there is none. */
export function startOfNodes(provider: string) {
  const args: [NodesInput] = [{ provider }];
  return {
    workflowId: nodesId(provider),
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    taskQueue: taskQueues.control,
    args,
    staticSummary: `Machines of ${provider}`,
    staticDetails: `Who is lent the machines of **${provider}**, and who waits for them.`,
    typedSearchAttributes: attributes({}),
  };
}
