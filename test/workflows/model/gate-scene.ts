import type { ChangeFacts, GateAnswer, GateCommand } from '../../../pipelines/gate/command.ts';
import type { FrozenJob, Playbook } from '../../../pipelines/model/job.ts';
import type { BuildSetInput, GateMessage, JobInput, StageInput } from '../../../workflows/contract.ts';
import { retriggerUpdate } from '../../../workflows/messages.ts';
import { change, frozenJob } from '../make.ts';
import { clientOf } from './client.ts';
import { gateName, merged, Outside, pipeline, type Verdict } from './outside.ts';
import type { Ground, Scene } from './play.ts';
import type { Run } from './run.ts';
import { fromPayloads } from './sdk.ts';
import type { Step } from './temporal.ts';

/** A gate, with changes and the people who propose them and ask the gate for something. */
export class GateScene implements Scene {
  readonly outside: Outside;
  readonly #ground: Ground;
  readonly #client;
  readonly #jobs: readonly FrozenJob[];
  /** Message id to the answers that its senders were given, however often they sent it. */
  readonly answers = new Map<string, GateAnswer[]>();
  /** What was never brought in is of no interest. */
  readonly #enqueued = new Set<string>();

  constructor(ground: Ground) {
    const { choices, temporal } = ground;
    this.#ground = ground;
    this.#client = clientOf(temporal.server, (update, [messages], answers) => {
      if (update === 'messages') this.#heard(messages as GateMessage[], answers as GateAnswer[]);
    });
    const failFast = choices.of([false, true]);
    const jobs = choices.of(graphs);
    this.#jobs = jobs;
    const projects = choices.of([['p'], ['p', 'r']]);
    const count = choices.of([2, 3, 1]);
    const mergesTogether = choices.of([true, false]);
    const verdict = (input: StageInput) => this.#verdict(input);
    const settings = { jobs: () => jobs, failFast, limits: { one: 1, two: 2 }, mergesTogether, verdict };
    this.outside = new Outside(this.#client, settings);
    for (const [index, id] of ['a', 'b', 'c'].slice(0, count).entries()) {
      this.outside.changes.set(id, change(id, { project: projects[index % projects.length] ?? 'p' }));
    }
  }

  readonly activity: Scene['activity'] = (type) => this.outside.activity(type);

  steps(): Step[] {
    const steps = this.outside.facts.flatMap((one) => this.#stepsOf(one));
    const jobs = this.#ground.temporal.server.runs.filter(({ identity }) => identity.workflowType === 'job');
    for (const run of this.#ground.temporal.server.runs) {
      if (!run.isOpen || run.identity.workflowType !== 'buildSet') continue;
      const { change: id } = fromPayloads(run.input)[0] as BuildSetInput;
      for (const { name: job } of this.#jobs) {
        const act = () => this.#update(run, id, job);
        steps.push({ label: `update to run ${job} of ${id}`, act });
      }
    }
    for (const run of jobs) {
      steps.push({ label: `start by hand ${run.id}`, act: () => this.#startByHand(run) });
      steps.push({ label: `start edited ${run.id}`, act: () => this.#startByHand(run, edited) });
      if (run.isOpen) steps.push({ label: `cancel ${run.id}`, act: () => this.#cancel(run) });
    }
    if (this.#enqueued.size === 0) return steps;
    steps.push({ label: 'push to p', act: () => this.#push('p') });
    return [...steps, { label: 'sweep', act: () => this.tidy() }];
  }

  tidy(): void {
    const options = { workflowId: 'sweep/main', args: [{ tenant: 'main' }], taskQueue: 'control' };
    void this.#client.workflow.start('sweep', options).catch(() => undefined);
  }

  #heard(messages: readonly GateMessage[], answers: readonly GateAnswer[]): void {
    for (const [index, { id }] of messages.entries()) {
      this.answers.set(id, [...(this.answers.get(id) ?? []), ...answers.slice(index, index + 1)]);
    }
  }

  #stepsOf({ id, key, patchset, status }: ChangeFacts): Step[] {
    const next = { patchset: patchset + 1, key: `${id},${patchset + 1}` };
    const isOpen = status === 'open';
    const enqueue = { label: `enqueue ${id}`, act: () => this.#enqueue(id, key) };
    if (!this.#enqueued.has(id)) return isOpen ? [enqueue] : [];
    // What is merged may be with the gate still, and who asks for something need not know.
    const asked = status === 'abandoned' ? [] : this.#requests(id);
    if (!isOpen) return asked;
    return [
      enqueue,
      ...asked,
      { label: `new patch set of ${id}`, act: () => this.#edit('patchset', id, next) },
      { label: `abandon ${id}`, act: () => this.#edit('abandon', id, { status: 'abandoned' }) },
    ];
  }

  #requests(id: string): Step[] {
    const again = { type: 'retrigger', change: id };
    return [
      ...this.#jobs.map(({ name: job }) => {
        return { label: `retrigger ${job} of ${id}`, act: () => this.#ask('retrigger', id, { ...again, job }) };
      }),
      { label: `dequeue ${id}`, act: () => this.#ask('dequeue', id, { type: 'dequeue', change: id }) },
      { label: `promote ${id}`, act: () => this.#ask('promote', id, { type: 'promote', changes: [id] }) },
    ];
  }

  #enqueue(id: string, key: string): void {
    this.#ground.did('enqueue', id);
    this.#enqueued.add(id);
    const time = Date.now();
    const commands: GateCommand[] = [
      { type: 'observe', time, changes: this.outside.facts },
      { type: 'enqueue', time, pipeline: 'gate', change: key },
    ];
    const message = { id: this.outside.eventId(id), pipeline, limits: {}, commands };
    // As the router does: an event that did not arrive is looked at again.
    const tell = (): Promise<void> => this.outside.gates.tell(gateName, message).catch(tell);
    void tell();
  }

  #ask(
    kind: string,
    id: string,
    asked: { readonly type: string; readonly job?: string; readonly [more: string]: unknown },
  ): void {
    const deed = this.#ground.did(kind, id, asked.job === undefined ? {} : { job: asked.job });
    const command = { time: Date.now(), pipeline: 'gate', ...asked } as unknown as GateCommand;
    const answered = this.outside.gates.ask(gateName, { id: this.outside.eventId(id), commands: [command] });
    answered.then(
      (answer) => Object.assign(deed, { answer }),
      () => undefined,
    );
  }

  #edit(kind: string, id: string, news: object): void {
    this.#ground.did(kind, id);
    const known = this.outside.changes.get(id);
    if (known) this.outside.changes.set(id, { ...known, ...news });
    void this.outside.show(id);
  }

  /** "Start Workflow Like This One", in Temporal's pages. */
  #startByHand(run: Run, edit = (input: JobInput) => input): void {
    const input = edit(fromPayloads(run.input)[0] as JobInput);
    this.#ground.did('by hand', input.change);
    const options = { workflowId: this.#ground.temporal.server.nextId('hand'), args: [input], taskQueue: 'control' };
    void this.#client.workflow.start('job', options).catch(() => undefined);
  }

  /** "Send an Update", in Temporal's pages. */
  #update(run: Run, id: string, job: string): void {
    const deed = this.#ground.did('retrigger', id, { job });
    const asked = this.#client.workflow.getHandle(run.id).executeUpdate(retriggerUpdate, { args: [job] });
    asked.then(
      () => Object.assign(deed, { answer: { ok: true } }),
      () => undefined,
    );
  }

  /** "Request Cancellation", in Temporal's pages. */
  #cancel(run: Run): void {
    this.#ground.did('stop', (fromPayloads(run.input)[0] as JobInput).change);
    void this.#client.workflow
      .getHandle(run.id)
      .cancel()
      .catch(() => undefined);
  }

  /** Somebody moves a branch without asking the gate. */
  #push(project: string): void {
    this.#ground.did('push', project);
    const key = `push ${this.#ground.temporal.server.now}`;
    this.outside.tips[project] = merged(this.outside.tip(project), { key });
  }

  #verdict({ build }: StageInput): Verdict {
    const { choices, note } = this.#ground;
    const verdict = choices.over ? 'SUCCESS' : choices.of(verdicts);
    note(`${build.job} of ${build.change}: ${verdict}`);
    return verdict;
  }
}

/** The same job on something else. */
function edited(input: JobInput): JobInput {
  const sources = input.sources.map((source) => ({ ...source, tree: `${source.tree}[edited]` }));
  return { ...input, sources, source: { ...input.source, tree: `${input.source.tree}[edited]` } };
}

const verdicts: readonly Verdict[] = [
  ...(['SUCCESS', 'SUCCESS', 'SUCCESS', 'FAILURE', 'RETRY'] as const),
  ...(['SUCCESS', 'fault', 'refusal'] as const),
];

const script: Playbook = {
  path: 'run.sh',
  project: 'p',
  branch: 'main',
  trusted: true,
  cleanup: false,
  level: 0,
  semaphores: [],
};
const run = [script];

const nodeset = { name: '', nodes: [{ name: ['node'], label: 'any' }], groups: [] };

/** The jobs of every change: one of these. */
const graphs: readonly (readonly FrozenJob[])[] = [
  [frozenJob('build', { run })],
  [frozenJob('build', { run }), frozenJob('lint', { run, voting: false })],
  [
    frozenJob('build', { run, attempts: 2 }),
    frozenJob('test', { run, dependencies: [{ name: 'build', soft: false }] }),
  ],
  [frozenJob('build', { run, semaphores: [{ name: 'one', max: 1, resourcesFirst: false }] })],
  [
    frozenJob('build', { run, provides: ['repository'] }),
    frozenJob('test', { run, nodeset, requires: ['repository'], dependencies: [{ name: 'build', soft: false }] }),
  ],
  [
    frozenJob('build', {
      run,
      semaphores: [
        { name: 'two', max: 2, resourcesFirst: false },
        { name: 'one', max: 1, resourcesFirst: true },
      ],
    }),
  ],
];
