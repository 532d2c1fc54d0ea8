import { type Client, type Payload, WorkflowNotFoundError } from '@temporalio/client';

/**
 * All that workflows which have not ended were given, were told and have answered, as text: what they may refer to.
 *
 * @throws when Temporal cannot say: then nothing is known.
 */
export async function* openPayloads(client: Client): AsyncGenerator<string> {
  for await (const { workflowId, runId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
    const history = await client.workflow
      .getHandle(workflowId, runId)
      .fetchHistory()
      .catch((error) => {
        // It has ended since it was listed.
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      });
    for (const payload of payloadsIn(history)) yield* await textsOf(client, payload);
  }
}

/** As it stands in the history, and as the client's codecs read it. */
async function textsOf({ options }: Client, payload: Payload): Promise<string[]> {
  let read = [payload];
  for (const codec of options.loadedDataConverter.payloadCodecs) read = await codec.decode(read);
  return [payload, ...read].map(({ data }) => Buffer.from(data ?? []).toString());
}

function* payloadsIn(value: unknown): Generator<Payload> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if ('data' in value && value.data instanceof Uint8Array && 'metadata' in value) yield value as Payload;
  else for (const each of Object.values(value)) yield* payloadsIn(each);
}
