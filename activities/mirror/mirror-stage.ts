import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { z } from 'zod';
import { type MirrorEntityInput, type StageResult, taskQueues } from '../../workflows/contract.ts';
import { mirrorId } from '../../workflows/ids.ts';
import { mirrorSyncUpdate } from '../../workflows/messages.ts';
import type { StageRunner } from '../ports.ts';
import { unlessAborted } from '../process/unless-aborted.ts';

/** Milliseconds between two signs of life: a transaction may take hours. */
const beat = 2_000;

const wanted = z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/)).min(1);

/** What came of one set: a transaction's outcome, or why there was none. */
interface Synced {
  readonly set: string;
  readonly outcome: string;
}

/**
 * Has the sets of mirrors that `vars.mirrors` names show what their sources hold, one transaction a set, all at the same
 * time, and waits for them. A set that is paused is synced when it goes on, one outside its window when that opens: the
 * job does not wait for that.
 *
 * @param client of the running activity
 */
export function createMirrorStage(client: () => Client): StageRunner {
  return async (input, { signal, heartbeat, log }) => {
    const sets = wanted.safeParse(input.vars.mirrors);
    if (!sets.success) return failed('the job does not say which sets of mirrors: give it `vars: {mirrors: [NAME]}`');
    const names = [...new Set(sets.data)];
    const alive = setInterval(() => heartbeat(`syncing ${names.join(', ')}`), beat);
    try {
      const all = Promise.all(names.map((set) => sync(client(), set)));
      const synced = await unlessAborted(signal, all);
      for (const { set, outcome } of synced) log.write(`${set}: ${outcome}\n`);
      return verdict(synced);
    } finally {
      clearInterval(alive);
    }
  };
}

async function sync(client: Client, set: string): Promise<Synced> {
  const input: MirrorEntityInput = { set, paused: false, pending: null, outcome: null };
  const startWorkflowOperation = new WithStartWorkflowOperation('mirror', {
    workflowId: mirrorId(set),
    taskQueue: taskQueues.control,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `Mirrors of ${set}`,
    staticDetails: `One transaction at a time over the hosts of the set **${set}**.`,
  });
  try {
    const { outcome } = await client.workflow.executeUpdateWithStart(mirrorSyncUpdate, { startWorkflowOperation });
    return { set, outcome };
  } catch (error) {
    const why = await whyEnded(client, set);
    if (why === null) throw error;
    return { set, outcome: why };
  }
}

/** Why the entity of a set has ended; null while it goes on. */
async function whyEnded(client: Client, set: string): Promise<string | null> {
  const entity = client.workflow.getHandle(mirrorId(set));
  const { status } = await entity.describe();
  if (status.name === 'RUNNING') return null;
  return entity.result().then(
    () => 'it has ended',
    (error: Error) => rootCause(error.cause) ?? error.message,
  );
}

const good: readonly string[] = ['committed', 'unchanged', 'paused', 'waiting'];

function verdict(synced: readonly Synced[]): StageResult {
  const summary = synced.map(({ set, outcome }) => `${set}: ${outcome}`).join(', ');
  return synced.every(({ outcome }) => good.includes(outcome))
    ? { result: 'SUCCESS', summary, artifacts: [] }
    : failed(summary);
}

function failed(summary: string): StageResult {
  return { result: 'FAILURE', summary, artifacts: [] };
}
