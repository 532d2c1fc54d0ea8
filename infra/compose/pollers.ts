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

/** Whether a worker takes what is in a queue of activities. One that has just ended counts for some minutes. */
export function isServedBy(client: Asked): (queue: string) => Promise<boolean> {
  return async (queue) => (await pollersOf(client, queue)).length > 0;
}
