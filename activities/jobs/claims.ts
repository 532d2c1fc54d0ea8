import { type Client, isGrpcServiceError, QueryNotRegisteredError, WorkflowNotFoundError } from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';
import type { SemaphoreClaims } from '../../pipelines/gate/semaphore-desk.ts';
import type { NodesClaims } from '../../pipelines/nodes/desk.ts';
import { nodesClaimQuery, semaphoresClaimQuery } from '../../workflows/messages.ts';
import { mapAtOnce } from '../process/at-once.ts';

/** How many jobs are asked at once, and how long each may take to answer, in milliseconds. */
const atOnce = 20;
const patience = 10_000;

/** gRPC's status of a workflow whose own code fails again and again: it runs nothing, and answers nobody. */
const failedPrecondition = 9;

/** What all open jobs hold of a provider, or wait for, in the order in which they began. */
export async function nodesClaimsOf(client: Client, provider: string): Promise<NodesClaims> {
  const all = (await claimsOf(client, nodesClaimQuery)).flatMap((claim) => [
    ...(claim.beside ? [claim.beside] : []),
    claim,
  ]);
  const claims = all.filter((claim) => claim.provider === provider);
  return {
    leases: claims.flatMap(({ request, fence, machines, host }) => {
      const which = { ...(machines === undefined ? {} : { machines }), ...(host === undefined ? {} : { host }) };
      return fence === null ? [] : [{ ...request, fence, lost: false, ...which }];
    }),
    waiting: claims.flatMap(({ request, fence }) => (fence === null ? [request] : [])),
  };
}

/** The same of a tenant's semaphores. */
export async function semaphoreClaimsOf(client: Client, tenant: string): Promise<SemaphoreClaims> {
  const claims = (await claimsOf(client, semaphoresClaimQuery)).filter((claim) => claim.tenant === tenant);
  const requests = (held: boolean) => claims.filter((claim) => claim.held === held).map(({ request }) => request);
  const beside = claims.flatMap((claim) => claim.beside ?? []);
  return { holding: [...beside, ...requests(true)], waiting: requests(false) };
}

type ClaimQuery<T> = QueryDefinition<T | null>;

async function claimsOf<T>(client: Client, query: ClaimQuery<T>): Promise<readonly T[]> {
  const found: { readonly workflow: string; readonly since: number }[] = [];
  for await (const { workflowId, startTime } of client.workflow.list({ query: openJobs })) {
    found.push({ workflow: workflowId, since: startTime.getTime() });
  }
  found.sort((a, b) => a.since - b.since);
  const claims = await mapAtOnce(found, atOnce, ({ workflow }) => claimOf(client, workflow, query));
  return claims.filter((claim) => claim !== null);
}

/** Jobs, and those who hold the machines of failed ones. */
const openJobs = 'WorkflowType IN ("job", "heldNodes") AND ExecutionStatus = "Running"';

/** @throws when it does not answer in time: it may hold something */
async function claimOf<T>(client: Client, workflow: string, query: ClaimQuery<T>): Promise<T | null> {
  try {
    const ask = () => client.workflow.getHandle(workflow).query(query);
    return await client.withDeadline(Date.now() + patience, ask);
  } catch (error) {
    // One that has not come to ask for anything does not know the question.
    if (error instanceof QueryNotRegisteredError || error instanceof WorkflowNotFoundError) return null;
    if (cannotAnswer(error as Error)) return null;
    throw error;
  }
}

/** Whether a workflow's state does not allow an answer: its task has failed several times in a row, say. */
export function cannotAnswer({ cause }: Error): boolean {
  return isGrpcServiceError(cause) && cause.code === failedPrecondition;
}
