import type { TriggerEvent } from '../model/change.ts';
import { Engine, type Watch } from './engine.ts';
import { unmetExpectations } from './expectations.ts';
import { parseScenario } from './parse-scenario.ts';
import type {
  ConfigPart,
  Scenario,
  ScenarioConfig,
  ScenarioEvent,
  ScenarioFile,
  SimulationResult,
} from './scenario.ts';

export { parseScenario };

export interface SimulateOptions {
  /** Reads the files of a part of the configuration that the scenario only points to. */
  readonly readConfig?: (part: Exclude<ConfigPart, { kind: 'file' }>) => readonly ScenarioFile[];
  /** Sees every command to the gate with what it came to. */
  readonly watch?: Watch;
}

/** Runs a scenario in virtual time. The same scenario gives the same result, to the last byte. */
export function simulate(scenario: Scenario, options: SimulateOptions = {}): SimulationResult {
  return new Run(scenario, options).run();
}

class Run {
  readonly #scenario: Scenario;
  readonly #engine: Engine;
  readonly #failures: string[] = [];
  readonly #options: SimulateOptions;

  constructor(scenario: Scenario, options: SimulateOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#engine = new Engine(scenario, this.#files(scenario.config), options.watch);
  }

  run(): SimulationResult {
    const { events, start, until } = this.#scenario;
    const { workshop, timers } = this.#engine;
    const end = start + until;
    let index = 0;
    for (;;) {
      const event = events[index];
      // What never comes is after any end, however far `until` is.
      const at = event ? start + event.at : Infinity;
      const next = Math.min(workshop.next ?? Infinity, timers.next ?? Infinity, at);
      if (next > end || next === Infinity) break;
      this.#engine.now = Math.max(this.#engine.now, next);
      if (workshop.next === next) this.#advance();
      else if (timers.next === next) this.#tick(next);
      else if (event) {
        this.#event(event);
        index += 1;
      }
      this.#engine.settle();
    }
    return this.#result();
  }

  #advance(): void {
    const command = this.#engine.workshop.advance();
    if (command) this.#engine.tell(command);
  }

  #tick(now: number): void {
    const tick = this.#engine.timers.take(now);
    if (!tick) return;
    const { pipeline, timespec, connection } = tick;
    const head = this.#engine.world.head(tick);
    this.#engine.happen({ type: 'timer', pipeline, timespec, connection }, head);
  }

  #event(event: ScenarioEvent): void {
    const engine = this.#engine;
    switch (event.kind) {
      case 'config':
        engine.configure(this.#files(event.config));
        return;
      case 'labels':
        engine.workshop.capacity = { ...engine.workshop.capacity, ...event.labels };
        return;
      case 'autohold':
        engine.workshop.hold(event.job, event.project, event.count);
        return;
      case 'check':
        this.#failures.push(...unmetExpectations(event.check, engine, `at ${event.at / 1000}s`));
        return;
      case 'ref-updated':
        this.#refUpdated(event.project, event.ref);
        return;
      case 'enqueue':
      case 'dequeue':
      case 'promote':
      case 'retrigger':
        this.#operate(event);
        return;
      default:
        this.#review(event);
    }
  }

  #operate(event: Operation): void {
    const engine = this.#engine;
    engine.observe(...('changes' in event ? event.changes : [event.change]));
    const answer = engine.tell(commandOf(event));
    if (!answer.ok) engine.recorder.remark('refused', engine.now, { ...event, reason: answer.reason });
  }

  #review(event: Exclude<Extract<ScenarioEvent, { change: string }>, Operation>): void {
    const { world, recorder, now } = this.#engine;
    const { change: name } = event;
    const { status } = world.change(name);
    if (!(possible[event.kind] ?? always).includes(status)) {
      recorder.remark('refused', now, { ...event, reason: `${name} is ${status}` });
      return;
    }
    if (event.kind === 'patchset') {
      // What is on top of it stays on this patch set, which the gate may have to know.
      if (world.isParent(name)) this.#engine.observe(name);
      world.patch(name, event);
    }
    if (event.kind === 'abandon' || event.kind === 'restore') {
      world.setStatus(name, event.kind === 'abandon' ? 'abandoned' : 'open');
    }
    if (event.kind === 'edit-message') world.edit(name, event.dependsOn);
    if (event.kind === 'mergeable') world.setMergeable(name, event.value);
    if (event.kind === 'approve') this.#approve(event);
    else if (event.kind === 'comment') this.#happen('comment-added', name, { comment: event.text });
    else if (event.kind === 'merge') this.#mergedOutside(name);
    else this.#happen(eventTypes[event.kind], name);
  }

  #approve({ change, label, value }: Extract<ScenarioEvent, { kind: 'approve' }>): void {
    const { world, now } = this.#engine;
    const oldValue = world.vote(change, { label, value, by: 'reviewer', time: now });
    this.#happen('comment-added', change, { comment: '', approvals: [{ label, value, oldValue }] });
  }

  /** Something that the review system announces, or that it only knows. */
  #happen(type: string | undefined, name: string, more: Partial<TriggerEvent> = {}): void {
    const change = this.#engine.world.facts(name);
    const account = { username: 'reviewer' };
    if (type === undefined) this.#engine.observe(name);
    else this.#engine.happen({ account, patchset: change.patchset, ...more, type }, change);
  }

  #mergedOutside(name: string): void {
    const engine = this.#engine;
    engine.world.merge(name, 'outside');
    engine.observe(name);
    engine.reconfigure([name]);
    this.#happen('change-merged', name);
  }

  #refUpdated(project: string, ref: string): void {
    const facts = this.#engine.world.update(project, ref);
    const { oldrev = '', newrev = '' } = facts;
    this.#engine.happen({ type: 'ref-updated', oldrev, newrev }, facts);
  }

  #files(config: ScenarioConfig): readonly ScenarioFile[] {
    return config.flatMap((part) => (part.kind === 'file' ? [part.file] : (this.#options.readConfig?.(part) ?? [])));
  }

  #result(): SimulationResult {
    const { expect, title } = this.#scenario;
    const engine = this.#engine;
    const { recorder } = engine;
    if (expect) this.#failures.push(...unmetExpectations(expect, engine, 'at the end'));
    return {
      scenario: title,
      ok: this.#failures.length === 0,
      failures: this.#failures,
      merged: engine.world.merged,
      reports: recorder.reports,
      builds: recorder.builds.map(({ paused: _paused, received: _received, ...build }) => build),
      windows: recorder.windows,
      events: recorder.events,
      configErrors: engine.layouts.problems.map(({ path, line, column, message, severity }) => ({
        path,
        line,
        column,
        message,
        severity,
      })),
      end: recorder.end,
    };
  }
}

type Operation = Extract<ScenarioEvent, { kind: 'enqueue' | 'dequeue' | 'promote' | 'retrigger' }>;

/** What each thing done to a change is called by the review system; an edit that no event tells of has no name. */
const eventTypes: Readonly<Record<string, string>> = {
  upload: 'patchset-created',
  patchset: 'patchset-created',
  abandon: 'change-abandoned',
  restore: 'change-restored',
};

const always: readonly string[] = ['open', 'merged', 'abandoned'];

/** What can be done to a change in which state; the review system refuses the rest. */
const possible: Readonly<Record<string, readonly string[]>> = {
  patchset: ['open', 'abandoned'],
  abandon: ['open'],
  restore: ['abandoned'],
  merge: ['open'],
  'edit-message': ['open', 'abandoned'],
  mergeable: ['open', 'abandoned'],
};

function commandOf(event: Operation): Parameters<Engine['tell']>[0] {
  const { pipeline } = event;
  switch (event.kind) {
    case 'enqueue':
      return { type: 'enqueue', pipeline, change: event.change, ignoreRequirements: true };
    case 'dequeue':
      return { type: 'dequeue', pipeline, change: event.change };
    case 'promote':
      return { type: 'promote', pipeline, changes: event.changes };
    case 'retrigger':
      return { type: 'retrigger', pipeline, change: event.change, job: event.job, whole: true };
  }
}
