import type { Client } from '@temporalio/client';
import type { ItemSnapshot } from '../../workflows/contract.ts';
import { gateId, parseGateId } from '../../workflows/ids.ts';
import { queueQuery } from '../../workflows/messages.ts';
import { searchAttributes } from '../../workflows/search-attributes.ts';
import { fateOf } from './fate.ts';
import type { OpenBuildSet } from './stray.ts';

/** How long a gate may take to say what it waits for, in milliseconds; one that is busy is asked the next time. */
const patience = 5_000;

/** What a gate shows of itself: its items; or that it has ended; or nothing, as it does not answer. */
export type GateLook = readonly ItemSnapshot[] | 'ended' | 'silent';

/** The open build sets of a tenant. */
export async function openBuildSets(client: Client, tenant: string): Promise<OpenBuildSet[]> {
  const found: OpenBuildSet[] = [];
  for await (const { workflowId, typedSearchAttributes: its } of client.workflow.list({
    query: openOnes('buildSet'),
  })) {
    const [pipeline, queue] = [its.get(searchAttributes.pipeline), its.get(searchAttributes.queue)];
    if (its.get(searchAttributes.tenant) !== tenant || pipeline === undefined || queue === undefined) continue;
    found.push({ workflow: workflowId, gate: gateId({ tenant, pipeline, queue }) });
  }
  return found;
}

/** Workflow ids of the open gates of a tenant. */
export async function openGates(client: Client, tenant: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: openOnes('gate') })) {
    if (isGateOf(workflowId, tenant)) found.push(workflowId);
  }
  return found;
}

export async function lookAtGate(client: Client, gate: string): Promise<GateLook> {
  if ((await fateOf(client, { workflow: gate })) !== null) return 'ended';
  try {
    const ask = () => client.workflow.getHandle(gate).query(queueQuery);
    return (await client.withDeadline(Date.now() + patience, ask)).items;
  } catch {
    return 'silent';
  }
}

function openOnes(type: string): string {
  return `WorkflowType = "${type}" AND ExecutionStatus = "Running"`;
}

/** One that was started by hand may be called anything. */
function isGateOf(workflow: string, tenant: string): boolean {
  try {
    return parseGateId(workflow).tenant === tenant;
  } catch {
    return false;
  }
}
