import type { GateAction, ReportRequest, SubmitAction } from '../gate/action.ts';
import type { ChangeFacts, GateAnswer, GateCommand } from '../gate/command.ts';
import { type Handled, handle } from '../gate/handle.ts';
import { pending } from '../gate/pending.ts';
import { type GateState, initialGate } from '../gate/state.ts';
import type { TriggerEvent } from '../model/change.ts';
import { triggeringRule } from '../policy/triggers.ts';
import { reviewSystem, translate, votesOf } from './dialects.ts';
import { isSame } from './equal.ts';
import { Layouts } from './layouts.ts';
import { prepare } from './prepare.ts';
import { Recorder } from './recorder.ts';
import type { Scenario, ScenarioFile } from './scenario.ts';
import { Timers } from './timers.ts';
import { Workshop } from './workshop.ts';
import { World } from './world.ts';

type Untimed<T> = T extends unknown ? Omit<T, 'time'> : never;

/** Sees every command with what it came to. */
export type Watch = (command: GateCommand, handled: Handled) => void;

/** The gate and the simulated world around it, on a virtual clock. */
export class Engine {
  state: GateState = initialGate();
  now: number;
  readonly world: World;
  readonly layouts: Layouts;
  readonly recorder: Recorder;
  readonly workshop: Workshop;
  readonly timers = new Timers();
  readonly #names = new Map<string, string>();
  readonly #watch: Watch | undefined;

  constructor(scenario: Scenario, files: readonly ScenarioFile[], watch?: Watch) {
    this.#watch = watch;
    this.now = scenario.start;
    this.world = new World(scenario);
    this.layouts = new Layouts(scenario, files);
    const around = { outcomes: scenario.outcomes, nameOf: this.nameOf, projectOf: this.#projectOf };
    this.workshop = new Workshop(around, scenario.labels);
    this.recorder = new Recorder(scenario.start, this.nameOf, this.workshop);
    this.#takeConfiguration();
  }

  /** Name of a change in the scenario, given by its id or by the key of a patch set; a ref's own name. */
  readonly nameOf = (key: string): string => this.#names.get(key) ?? this.state.facts.changes[key]?.id ?? key;

  readonly #projectOf = (change: string): string => this.world.facts(change).project;

  /** Says something to the gate, now. */
  tell(command: Untimed<GateCommand>): GateAnswer {
    const timed = { ...command, time: this.now } as GateCommand;
    const handled = handle(this.state, timed);
    this.state = handled.state;
    this.recorder.follow(handled.events, this.now);
    this.#watch?.(timed, handled);
    return handled.answer;
  }

  /** Replaces the configuration. */
  configure(files: readonly ScenarioFile[]): void {
    this.layouts.configure(files);
    this.#takeConfiguration();
  }

  /** Tells the gate what is new about changes, with all that they are related to. */
  observe(...names: readonly string[]): void {
    const related = new Set(names.flatMap((name) => (this.world.has(name) ? this.world.related(name) : [name])));
    const facts = [...related].map((name) => this.world.facts(name));
    const changes = facts.filter((one) => !isKnown(this.state, one));
    for (const one of changes) this.#names.set(one.key, displayed(one)).set(one.id, displayed(one));
    if (changes.length > 0) this.tell({ type: 'observe', changes });
  }

  /** An event at the review system: every pipeline that waits for it takes the change in. */
  happen(
    event: Omit<TriggerEvent, 'time' | 'connection' | 'driver' | 'project'> & Partial<TriggerEvent>,
    change: ChangeFacts,
  ): void {
    const connection = event.connection ?? change.connection;
    const full = translate({
      driver: connection,
      project: change.project,
      branch: change.branch,
      ref: change.ref,
      ...event,
      connection,
      time: this.now,
    });
    const taken = this.layouts.pipelines.flatMap(({ name, triggers }) => {
      const rule = triggeringRule({ name, triggers }, full, change);
      return rule ? [{ pipeline: name, debug: rule.body.debug === true }] : [];
    });
    if (taken.length > 0 || this.#concernsGate(change)) this.observe(change.id);
    for (const one of taken) this.tell({ type: 'enqueue', ...one, change: change.key, event: full });
    // What somebody did and nobody waits for is worth a word; what follows from merges is not.
    if (taken.length === 0 && full.account !== undefined) {
      this.recorder.remark('ignored', this.now, { change: displayed(change), event: eventText(full) });
    }
  }

  /** Whether the gate knows the change, or one that it is related to. */
  #concernsGate(change: ChangeFacts): boolean {
    const { patchsets } = this.state.facts;
    return this.world.has(change.id) && this.world.related(change.id).some((name) => patchsets[name] !== undefined);
  }

  /** Carries out what the gate wants until it wants nothing more at this instant. */
  settle(): void {
    let busy = true;
    while (busy) busy = this.#act();
  }

  /** Puts the configuration that merged changes bring in force. */
  reconfigure(merged: readonly string[]): void {
    const made = merged.map((name) => this.world.change(name).made);
    const files = made.flatMap(({ project, branch, config: text }) =>
      text === undefined ? [] : [{ project, branch, text }],
    );
    if (files.length === 0) return;
    this.layouts.merge(files);
    this.#takeConfiguration();
  }

  #act(): boolean {
    const [said] = this.state.outbox;
    if (said) {
      this.#carryOut(said);
      this.tell({ type: 'done', action: said.key });
      return true;
    }
    const actions = pending(this.state);
    const wanted = actions.find((action) => action.kind === 'prepare' || action.kind === 'submit');
    if (wanted?.kind === 'prepare') {
      const facts = (key: string) => this.state.facts.changes[key] ?? this.world.facts(this.nameOf(key));
      const outcome = prepare({ world: this.world, layouts: this.layouts, facts }, wanted);
      this.tell({ type: 'prepared', buildSet: wanted.key, outcome });
      return true;
    }
    if (wanted?.kind === 'submit') {
      this.#submit(wanted);
      return true;
    }
    return this.#build(actions);
  }

  #build(actions: readonly GateAction[]): boolean {
    const builds = actions.filter((action) => action.kind === 'build-set');
    const byPipeline = Map.groupBy(builds, ({ pipeline }) => pipeline);
    this.workshop.limits = this.layouts.semaphores;
    const ordered = this.state.pipelines.flatMap(({ name }) => byPipeline.get(name) ?? []);
    const news = this.workshop.sync(ordered, this.now);
    for (const command of news) this.tell(command);
    // That a build has started changes nothing of what is wanted.
    return news.some(({ type }) => type !== 'build-started');
  }

  #carryOut(action: GateState['outbox'][number]): void {
    if (action.kind === 'report') this.#vote(action);
    if (action.kind !== 'fire') return;
    const { pipeline, event: type } = action;
    const subject = this.nameOf(action.change);
    const changes = type === 'parent-change-enqueued' ? this.#dependents(subject) : this.#siblings(subject);
    for (const name of changes) this.happen({ type, pipeline, connection: 'zuul' }, this.world.facts(name));
  }

  /** Open changes that need the change directly. */
  #dependents(name: string): readonly string[] {
    if (!this.world.has(name)) return [];
    return this.world.related(name).filter((one) => {
      const { parents, dependsOn, status } = this.world.facts(one);
      return status === 'open' && (parents.includes(name) || dependsOn.includes(name));
    });
  }

  /** Open changes of the same project. */
  #siblings(name: string): readonly string[] {
    const { project } = this.world.facts(name);
    return this.world.names().filter((one) => {
      const facts = this.world.facts(one);
      return facts.project === project && facts.status === 'open' && facts.kind === 'change';
    });
  }

  /** Leaves the votes of a report's rules on its changes. */
  #vote(report: ReportRequest): void {
    for (const key of report.changes) {
      const name = this.nameOf(key);
      const current = this.world.has(name) ? this.world.facts(name) : undefined;
      if (current?.key !== key) continue;
      for (const { connection, body } of report.rules) {
        if (connection !== current.connection) continue;
        for (const vote of votesOf(body)) this.world.vote(name, { ...vote, by: 'sluice', time: this.now });
      }
      if (this.state.facts.changes[key]) this.observe(name);
    }
  }

  #submit(action: SubmitAction): void {
    const merged: string[] = [];
    const names: string[] = [];
    let refused: string | undefined;
    for (const key of action.changes) {
      const refusal = this.#refusal(action, key, merged);
      if (refusal === undefined) {
        merged.push(key);
        const name = this.nameOf(key);
        if (!this.world.has(name) || this.world.facts(name).status === 'merged') continue;
        names.push(name);
        this.world.merge(name, 'gate');
      } else refused ??= refusal;
    }
    this.tell({ type: 'submitted', item: action.item, merged, ...(refused === undefined ? {} : { refused }) });
    this.reconfigure(names);
    for (const name of names) this.announceMerge(name);
  }

  /** A change has merged through the gate: the review system says so, of the change and of the branch. */
  announceMerge(name: string): void {
    const change = this.world.facts(name);
    this.happen({ type: 'change-merged' }, change);
    const ref = this.world.update(change.project, `refs/heads/${change.branch}`);
    const { oldrev = '', newrev = '' } = ref;
    this.happen({ type: 'ref-updated', oldrev, newrev }, ref);
  }

  #refusal(action: SubmitAction, key: string, merged: readonly string[]): string | undefined {
    const name = this.nameOf(key);
    if (!this.world.has(name)) return undefined;
    const facts = this.world.facts(name);
    if (facts.kind !== 'change' || facts.status === 'merged') return undefined;
    if (!action.rules.some(({ body }) => body.submit === true || body.merge === true))
      return 'No reporter submits changes.';
    if (facts.key !== key) return `${key} is not the current patch set.`;
    if (this.world.change(name).made.refuseSubmit) return `${name} was refused.`;
    if (facts.status !== 'open' || !facts.mergeable) return `${name} cannot be merged.`;
    const parent = facts.parents.find((one) => this.world.facts(one).status !== 'merged');
    if (parent !== undefined && !merged.map(this.nameOf).includes(parent))
      return `${name} is on top of ${parent}, which has not merged.`;
    const other = this.world.conflict(name, []);
    return other === undefined ? undefined : `${name} conflicts with ${other}.`;
  }

  #takeConfiguration(): void {
    const { layouts, world } = this;
    const { pipelines, limits } = layouts;
    world.move(reviewSystem(pipelines));
    world.place(memoized((project, branch) => layouts.placements(project, branch)));
    const known = Object.values(this.state.facts.changes);
    const changes = known.map((one) => ({ ...one, placements: layouts.placements(one.project, one.branch) }));
    this.tell({ type: 'configure', pipelines, limits, changes });
    const branches = layouts.projects.flatMap(({ name: project, branches: all }) =>
      all.map((branch) => ({ project, branch, pipelines: layouts.usedPipelines(project, branch) })),
    );
    this.timers.configure(pipelines, branches, this.now);
  }
}

function isKnown(state: GateState, facts: ChangeFacts): boolean {
  const known = state.facts.changes[facts.key];
  if (known === undefined) return false;
  const { results: _results, ...plain } = known;
  return isSame(plain, facts);
}

/** An event as a trigger would be written for it. */
function eventText({ connection, type, action }: TriggerEvent): string {
  return `${connection}: ${type}${action === undefined ? '' : ` ${action}`}`;
}

function displayed(facts: ChangeFacts): string {
  return facts.id === `${facts.project}@${facts.ref}` ? facts.ref : facts.id;
}

function memoized<T>(work: (project: string, branch: string) => T): (project: string, branch: string) => T {
  const known = new Map<string, T>();
  return (project, branch) => {
    const key = `${project}\n${branch}`;
    const found = known.get(key) ?? work(project, branch);
    known.set(key, found);
    return found;
  };
}
