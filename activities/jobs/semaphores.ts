import { type Client, WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import type { SemaphoreLimits } from '../../pipelines/gate/semaphores.ts';
import type { ControlActivities } from '../../workflows/activities.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { semaphoresId } from '../../workflows/ids.ts';
import { semaphoresReleaseSignal, semaphoresUpdate } from '../../workflows/messages.ts';
import { attributes } from '../../workflows/search-attributes.ts';
import type { SemaphoresInput } from '../../workflows/semaphore-contract.ts';
import { semaphoreClaimsOf } from './claims.ts';
import { endedOf } from './open.ts';

export interface SemaphoreDeps {
  readonly client: Client;
  /** Limits of the tenant's semaphores as configured now; one that is not named is a mutex. */
  readonly limits: () => Promise<SemaphoreLimits>;
}

type SemaphoreActivities = Pick<
  ControlActivities,
  'askSemaphores' | 'releaseSemaphores' | 'recallSemaphores' | 'lookAtSemaphores'
>;

/** The way from jobs to the entity of their tenant's semaphores, and from there to what is configured and running. */
export function createSemaphoreActivities({ client, limits }: SemaphoreDeps): SemaphoreActivities {
  return {
    async askSemaphores({ tenant, request }) {
      const startWorkflowOperation = entityOf(tenant);
      const ask = { request, limits: pick(await limits(), request.names) };
      return client.workflow.executeUpdateWithStart(semaphoresUpdate, { startWorkflowOperation, args: [ask] });
    },

    async releaseSemaphores({ tenant, token }) {
      try {
        await client.workflow.getHandle(semaphoresId(tenant)).signal(semaphoresReleaseSignal, { token });
      } catch (error) {
        // Without the entity nobody holds anything.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },

    async recallSemaphores({ tenant, run }) {
      const { holding, waiting } = await semaphoreClaimsOf(client, tenant);
      const names = [...holding, ...waiting].flatMap((request) => request.names);
      return { holding, waiting, limits: pick(await limits(), names), ...(run === undefined ? {} : { by: run }) };
    },

    async lookAtSemaphores({ holding, names }) {
      return { over: await endedOf(client, holding), limits: pick(await limits(), names) };
    },
  };
}

function pick(limits: SemaphoreLimits, names: readonly string[]): SemaphoreLimits {
  return Object.fromEntries(names.map((name) => [name, limits[name] ?? 1]));
}

function entityOf(tenant: string) {
  return new WithStartWorkflowOperation<(input: SemaphoresInput) => Promise<void>>('semaphores', {
    workflowId: semaphoresId(tenant),
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue: taskQueues.control,
    args: [{ tenant }],
    staticSummary: `Semaphores of ${tenant}`,
    staticDetails: `Who holds the semaphores of the tenant **${tenant}**, and who waits for them.`,
    typedSearchAttributes: attributes({ tenant }),
  });
}
