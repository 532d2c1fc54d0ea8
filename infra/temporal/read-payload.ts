import { type Client, isGrpcServiceError, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';

/** NOT_FOUND of gRPC. */
const notFound = 5;

/** The value of a payload that was found in a history, as the client reads what it is answered. */
export async function readPayload(client: Client, payload: Payload): Promise<unknown> {
  let read = [payload];
  for (const codec of client.options.loadedDataConverter.payloadCodecs.toReversed()) read = await codec.decode(read);
  const [whole = payload] = read;
  return defaultPayloadConverter.fromPayload(whole);
}

/** What a workflow was started with; undefined when Temporal keeps no history of it. */
export async function readInput(client: Client, workflow: string): Promise<unknown> {
  const { events } = await historyOf(client, workflow);
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  return payload ? readPayload(client, payload) : undefined;
}

async function historyOf(
  client: Client,
  workflow: string,
): Promise<Partial<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>>> {
  try {
    return await client.workflow.getHandle(workflow).fetchHistory();
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === notFound) return {};
    throw error;
  }
}
