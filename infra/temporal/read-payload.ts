import { type Client, isGrpcServiceError } from '@temporalio/client';
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
  const event = await firstEvent(client, workflow);
  const payload = event?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  return payload ? readPayload(client, payload) : undefined;
}

/** A history may be long: no more than its begin is asked for. */
async function firstEvent({ workflowService, options: { namespace } }: Client, workflowId: string) {
  try {
    const request = { namespace, execution: { workflowId }, maximumPageSize: 1 };
    const { history } = await workflowService.getWorkflowExecutionHistory(request);
    return history?.events?.[0];
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === notFound) return undefined;
    throw error;
  }
}
