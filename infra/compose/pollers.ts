import type { Client } from '@temporalio/client';

/** Temporal's number for queues of activities. */
const activities = 2;

export type Asked = Pick<Client, 'workflowService' | 'options'>;

/** What those call themselves who have asked a queue of activities for work in the last minutes. */
export async function pollersOf(client: Asked, queue: string): Promise<readonly string[]> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: queue },
    taskQueueType: activities,
  });
  return (pollers ?? []).map(({ identity }) => identity ?? '');
}

/** Milliseconds in which Temporal says who asks a queue, or is not waited for. */
const patience = 2_000;

/**
 * Whether a worker takes what is in a queue of activities. One that has just ended counts for some minutes; where Temporal
 * does not say, none does.
 */
export function isServedBy(client: Asked & Pick<Client, 'withDeadline'>): (queue: string) => Promise<boolean> {
  return (queue) =>
    client
      .withDeadline(Date.now() + patience, () => pollersOf(client, queue))
      .then(
        (pollers) => pollers.length > 0,
        () => false,
      );
}
