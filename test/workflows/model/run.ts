import type { Attempt } from './attempt.ts';
import {
  again,
  type Begun,
  begunIn,
  type Child,
  inOrder,
  patchesOf,
  sameCommands,
  type Task,
  type Turn,
} from './history.ts';
import { type Command, type Failure, type Identity, Instance, type Job, type Payload } from './sdk.ts';

export type Status = 'running' | 'completed' | 'failed' | 'canceled' | 'terminated' | 'continued';

/** An update as its callers see it: who asks again by the same id gets the same answer. */
export interface Update {
  accepted: boolean;
  outcome: { readonly result?: Payload; readonly failure?: Failure } | undefined;
  readonly waiting: ((outcome: NonNullable<Update['outcome']> | 'gone') => void)[];
}

/** A workflow task under way. */
export interface OpenTask {
  /** What the server gave it. */
  readonly jobs: readonly Job[];
  readonly turns: Turn[];
  /** What the task itself has resolved meanwhile: local activities, cancellations. */
  readonly resolved: Job[];
  /** `activity/SEQ`, `child/SEQ`, `signal/SEQ` that were cancelled before the server heard of them. */
  readonly void: Set<string>;
}

/** One run of a workflow id, as the server and the worker that has it in memory know it. */
export class Run {
  readonly identity: Identity;
  readonly input: readonly Payload[];
  /** The child that it is of its parent. */
  readonly birth: { readonly parent: Run; readonly seq: number } | undefined;
  status: Status = 'running';
  /** When it ended. */
  closed: number | undefined;
  failure: Failure | undefined;
  result: Payload | undefined;
  history: Task[] = [];
  /** Events since the last workflow task began. */
  inbox: Job[] = [];
  instance: Instance | undefined;
  open: OpenTask | undefined;
  /** Attempts at activities, by their sequence number; local ones run as parts of tasks. */
  readonly activities = new Map<number, Attempt>();
  readonly locals = new Map<number, Attempt>();
  readonly timers = new Map<number, number>();
  readonly children = new Map<number, Child>();
  readonly updates = new Map<string, Update>();
  /** What the code threw when it could not go on. */
  stuck: string | undefined;

  constructor(identity: Identity, input: readonly Payload[], birth?: Run['birth']) {
    this.identity = identity;
    this.input = input;
    this.birth = birth;
  }

  get id(): string {
    return this.identity.workflowId;
  }

  get isOpen(): boolean {
    return this.status === 'running';
  }

  /** Events of its history, more or less. */
  get length(): number {
    let events = this.inbox.length;
    for (const { turns } of this.history) {
      events += 3;
      for (const { jobs, commands } of turns) events += jobs.length + commands.length;
    }
    return events;
  }

  get begun(): Begun {
    return begunIn(this.history);
  }

  /** The code in memory; if it was lost, a new one that goes through the whole history. @throws when it goes astray */
  async code(): Promise<Instance> {
    this.instance ??= await this.replay();
    return this.instance;
  }

  async replay(): Promise<Instance> {
    const instance = new Instance(this.identity);
    const { runId, originalRunId } = this.identity;
    for (const task of this.history) {
      for (const [index, { jobs, moment, commands }] of task.turns.entries()) {
        const patches = index === 0 ? patchesOf(task) : [];
        const turned = await instance.turn([...patches, ...jobs.map(again)], { ...moment, replaying: true });
        const asked = turned.filter(({ updateResponse }) => updateResponse === undefined);
        const before = commands.filter(({ updateResponse }) => updateResponse === undefined);
        if (!sameCommands(asked, before, runId !== originalRunId)) throw new Astray(this.id, before, asked);
      }
    }
    return instance;
  }

  /** Asks the code something; the history does not hear of it. */
  async query(queryType: string): Promise<unknown> {
    const code = await this.code();
    return code.query(queryType);
  }

  /** The worker lets go of the code: the next task begins with the history. */
  forget(): void {
    this.instance = undefined;
  }

  /** The server takes an answer to an update. */
  answer({ protocolInstanceId, accepted, completed, rejected }: NonNullable<Command['updateResponse']>): void {
    const update = this.updates.get(protocolInstanceId ?? '');
    if (!update) return;
    if (accepted) update.accepted = true;
    if (completed) update.outcome = { result: completed };
    if (rejected) update.outcome = { failure: rejected };
    if (rejected && !update.accepted) this.updates.delete(protocolInstanceId ?? '');
    if (update.outcome) for (const wait of update.waiting.splice(0)) wait(update.outcome);
  }

  /** An update that was accepted once, and is applied again. */
  expectUpdate(id: string): void {
    this.updates.set(id, { accepted: true, outcome: undefined, waiting: [] });
  }

  /** What the history says of updates. */
  recallUpdates(): void {
    for (const { jobs, commands } of this.history.flatMap(({ turns }) => turns)) {
      for (const { doUpdate } of jobs) if (doUpdate) this.expectUpdate(doUpdate.id ?? '');
      for (const { updateResponse } of commands) if (updateResponse) this.answer(updateResponse);
    }
  }

  /** Those who wait for answers get none from this run. */
  dismissWaiting(): void {
    for (const { waiting } of this.updates.values()) for (const wait of waiting.splice(0)) wait('gone');
  }

  /** Loses the task under way, and the code with it: the next worker begins with what the server has. */
  loseTask(): void {
    if (this.open) this.inbox = inOrder([...this.open.jobs, ...this.inbox]);
    this.open = undefined;
    this.instance = undefined;
  }
}

/** The same history led to other commands. */
export class Astray extends Error {
  constructor(id: string, before: unknown, now: unknown) {
    super(`${id} went another way when its history was run again:\n${show(before)}\nbecame\n${show(now)}`);
  }
}

function show(commands: unknown): string {
  return JSON.stringify(commands, (key, value) =>
    key === 'data' ? Buffer.from(value.data ?? value).toString() : value,
  );
}
