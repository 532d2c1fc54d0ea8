import { randomUUID } from 'node:crypto';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { GateAnswer, GateCommand } from '../pipelines/gate/command.ts';
import { demand } from '../pipelines/policy/access.ts';
import { type JobInput, taskQueues } from '../workflows/contract.ts';
import { jobId, parseJobId } from '../workflows/ids.ts';
import type { BuildRecord, QueueSnapshot } from '../workflows/records.ts';
import type { GateClient } from './events/gate-client.ts';
import type { EnqueueRequest, Operations, Records, Retriggered } from './port.ts';

export interface OperationsDeps {
  readonly client: Client;
  readonly gates: Pick<GateClient, 'ask'>;
  readonly store: Pick<Records, 'listQueues' | 'listBuilds' | 'findBuild'>;
  /** Reads the change and hands it to the right gate, as an event would. */
  readonly enqueue: (what: EnqueueRequest) => Promise<GateAnswer>;
  /** What a workflow was started with; undefined where nobody knows any more. */
  readonly inputOf: (workflow: string) => Promise<unknown>;
  /** The names of the configured pipelines. */
  readonly pipelines: () => Promise<readonly string[]>;
  /** Says to a change, where people read of it, that somebody took it out of a pipeline. */
  readonly tellTakenOut: (what: TakenOut) => Promise<void>;
  /** Concludes the record of a build whose workflow has ended without a word. */
  readonly mend: (build: BuildRecord) => Promise<void>;
}

/** A patch set that is out of a pipeline, and by whom. */
export interface TakenOut {
  readonly change: string;
  readonly patchset: number;
  readonly pipeline: string;
  readonly by: string;
}

/** What people ask for, carried to the gate that holds the change, or to the job itself. */
export function createOperations(deps: OperationsDeps): Operations {
  const { client, gates, store, inputOf, mend } = deps;
  const queues = () => store.listQueues();
  return {
    async enqueue(actor, what) {
      demand(actor, 'enqueue', { name: 'change' in what ? what.change : `${what.project} ${what.branch}` });
      return (await noPipeline(deps, what.pipeline)) ?? deps.enqueue(what);
    },
    async dequeue(actor, { pipeline, change }) {
      demand(actor, 'dequeue', { name: change });
      const gate = (await queues()).find((queue) => queue.pipeline === pipeline && holds(queue, change));
      if (!gate) return (await noPipeline(deps, pipeline)) ?? refused(`${change} is not in ${pipeline}`);
      const answer = await ask(gates, gate, { type: 'dequeue', time: Date.now(), pipeline, change });
      if (answer.ok) await tellMembers(deps, gate, { pipeline, change, by: actor.name });
      return answer;
    },
    async promote(actor, { pipeline, changes }) {
      demand(actor, 'promote', { name: changes.join(', ') });
      const all = (await queues()).filter((queue) => queue.pipeline === pipeline);
      const gate = all.find((queue) => changes.every((change) => holds(queue, change)));
      const unknown = gate ? undefined : await noPipeline(deps, pipeline);
      if (unknown) return unknown;
      if (!gate) return refused(`no queue of ${pipeline} holds all of ${changes.join(', ')}`);
      return ask(gates, gate, { type: 'promote', time: Date.now(), pipeline, changes });
    },
    async retrigger(actor, { change, job, pipeline }) {
      demand(actor, 'retrigger', { name: `${job} of ${change}` });
      const all = (await queues()).filter((queue) => pipeline === undefined || queue.pipeline === pipeline);
      const gate = all.find((queue) => holds(queue, change, job));
      if (gate) {
        const answer = await ask(gates, gate, {
          ...{ type: 'retrigger', time: Date.now(), pipeline: gate.pipeline, change, job },
        });
        return answer.ok ? { ...answer, ...buildSetOf(gate, change) } : answer;
      }
      const [last] = await store.listBuilds({ change, job, pipeline, limit: 1 });
      const unknown = last || pipeline === undefined ? undefined : await noPipeline(deps, pipeline);
      if (unknown) return unknown;
      return last ? runAgain(client, last, inputOf) : refused(`${job} has not run for ${change}`);
    },
    async cancel(actor, { build }) {
      demand(actor, 'cancel', { name: build });
      const recorded = await store.findBuild(build);
      if (recorded?.endTime === null) await mend(recorded);
      const found = await store.findBuild(build);
      if (!found) return refused(`there is no build ${build}`);
      if (found.endTime !== null) return refused(`build ${build} has ended: ${found.result}`);
      await client.workflow.getHandle(found.workflow, found.run).cancel();
      return { ok: true };
    },
  };
}

function refused(reason: string): GateAnswer {
  return { ok: false, reason };
}

async function noPipeline({ pipelines }: OperationsDeps, name: string): Promise<GateAnswer | undefined> {
  const names = await pipelines();
  return names.includes(name) ? undefined : refused(`there is no pipeline ${name}; there are: ${names.join(', ')}`);
}

/** All members of the item hear of it. What cannot be said undoes nothing: the item is out. */
async function tellMembers(
  { tellTakenOut }: OperationsDeps,
  { items }: QueueSnapshot,
  { change, pipeline, by }: Pick<TakenOut, 'change' | 'pipeline' | 'by'>,
): Promise<void> {
  const members = items.find(({ changes }) => changes.some(({ id }) => id === change))?.changes ?? [];
  const said = members.map(({ id, patchset }) => tellTakenOut({ change: id, patchset, pipeline, by }));
  await Promise.allSettled(said);
}

function buildSetOf({ items }: QueueSnapshot, change: string): Pick<Retriggered & { ok: true }, 'buildSet'> {
  const buildSet = items.find(({ changes }) => changes.some(({ id }) => id === change))?.buildSet ?? null;
  return buildSet === null ? {} : { buildSet };
}

function holds(queue: QueueSnapshot, change: string, job?: string): boolean {
  return queue.items.some(
    ({ changes, jobs }) =>
      changes.some(({ id }) => id === change) && (job === undefined || jobs.some(({ name }) => name === job)),
  );
}

function ask(gates: Pick<GateClient, 'ask'>, gate: QueueSnapshot, command: GateCommand): Promise<GateAnswer> {
  return gates.ask(gate, { id: randomUUID(), commands: [command] });
}

/** Starts a job like the one that has run, by its own input: a run of its own, as nobody waits for it any more. */
async function runAgain(
  client: Client,
  { workflow, buildSet }: BuildRecord,
  inputOf: OperationsDeps['inputOf'],
): Promise<Retriggered> {
  const input = await inputOf(workflow);
  if (input === undefined) return refused(`Temporal keeps no history of ${workflow} any more`);
  const name = parseJobId(workflow);
  try {
    await client.workflow.start('job', {
      workflowId: jobId({ ...name, attempt: name.attempt + 1 }),
      taskQueue: taskQueues.control,
      args: [input as JobInput],
    });
    return { ok: true, alone: true, buildSet };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return refused(`${name.job} runs already`);
    throw error;
  }
}
