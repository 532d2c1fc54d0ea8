import { type Client, isGrpcServiceError, QueryNotRegisteredError, WorkflowNotFoundError } from '@temporalio/client';
import type { NodesClaims } from '../../pipelines/nodes/desk.ts';
import { nodesClaimQuery } from '../../workflows/messages.ts';
import type { NodesClaim } from '../../workflows/nodes-contract.ts';

/** How many jobs are asked at once, and how long each may take to answer, in milliseconds. */
const atOnce = 20;
const patience = 10_000;

/** gRPC's status of a workflow whose own code fails again and again: it runs nothing, and answers nobody. */
const failedPrecondition = 9;

/** What all open jobs hold of a provider, or wait for, in the order in which they began. */
export async function claimsOf(client: Client, provider: string): Promise<NodesClaims> {
  const found: { readonly workflow: string; readonly since: number }[] = [];
  for await (const { workflowId, startTime } of client.workflow.list({ query: openJobs })) {
    found.push({ workflow: workflowId, since: startTime.getTime() });
  }
  found.sort((a, b) => a.since - b.since);
  const claims: NodesClaim[] = [];
  for (let index = 0; index < found.length; index += atOnce) {
    const asked = found.slice(index, index + atOnce).map(({ workflow }) => claimOf(client, workflow));
    for (const claim of await Promise.all(asked)) if (claim?.provider === provider) claims.push(claim);
  }
  return {
    leases: claims.flatMap(({ request, fence }) => (fence === null ? [] : [{ ...request, fence, lost: false }])),
    waiting: claims.flatMap(({ request, fence }) => (fence === null ? [request] : [])),
  };
}

const openJobs = 'WorkflowType = "job" AND ExecutionStatus = "Running"';

/** @throws when it does not answer in time: it may hold something */
async function claimOf(client: Client, workflow: string): Promise<NodesClaim | null> {
  try {
    const ask = () => client.workflow.getHandle(workflow).query(nodesClaimQuery);
    return await client.withDeadline(Date.now() + patience, ask);
  } catch (error) {
    // One that has not come to ask for machines does not know the question.
    if (error instanceof QueryNotRegisteredError || error instanceof WorkflowNotFoundError) return null;
    const { cause } = error as Error;
    if (isGrpcServiceError(cause) && cause.code === failedPrecondition) return null;
    throw error;
  }
}
