import type { Client } from '@temporalio/client';
import { type PendingStep, releaseWait } from '../pipelines/report/release-wait.ts';

/** What a release that has not ended waits for, by its workflow; null while it goes on, or where nobody can say. */
export type ReleaseWait = (workflow: string) => Promise<string | null>;

type Pending = NonNullable<
  Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>['raw']['pendingActivities']
>[number];

/** Of what Temporal's own protocol calls a step that a worker has. */
const started = 2;

export function createReleaseWait(client: Pick<Client, 'workflow'>): ReleaseWait {
  return async (workflow) => {
    // Temporal may be away, which is told elsewhere.
    const described = await client.workflow
      .getHandle(workflow)
      .describe()
      .catch(() => null);
    return releaseWait((described?.raw.pendingActivities ?? []).map(stepOf));
  };
}

function stepOf({ activityType, attempt, lastFailure, state, scheduledTime }: Pending): PendingStep {
  const since = Number(scheduledTime?.seconds ?? Date.now() / 1000);
  return {
    name: activityType?.name ?? '',
    attempt: attempt ?? 1,
    fault: lastFailure?.message ?? undefined,
    begun: state === started,
    waits: Date.now() / 1000 - since,
  };
}
