import type { BuildSetAction } from '../gate/action.ts';
import type { GateCommand } from '../gate/command.ts';
import { acquire, release, type SemaphoreHolders, type SemaphoreLimits, semaphorePhases } from '../gate/semaphores.ts';
import { type PendingBuild, type PendingBuilds, pendingBuilds } from '../jobs/pending.ts';
import type { Artifact } from '../model/job.ts';
import { allocate, type Capacity, type Lease } from '../nodes/allocate.ts';
import { Agenda } from './agenda.ts';
import { type Course, courseOf } from './outcome.ts';
import type { Outcome } from './scenario.ts';

/** A build that waits for nodes or semaphores. */
interface Waiting {
  readonly key: string;
  /** Counted from when it had the semaphores that come before nodes; undefined until then. */
  age: number | undefined;
  readonly action: BuildSetAction;
  readonly build: PendingBuild;
  readonly course: Course;
  leases: readonly Lease[] | undefined;
}

interface Running {
  readonly key: string;
  readonly buildSet: string;
  readonly build: PendingBuild;
  readonly course: Course;
  readonly leases: readonly Lease[];
}

/** What a build set wants, with the keys of all its builds that may wait or run. */
type Plan = PendingBuilds & { readonly keys: readonly string[] };

/** Failed builds of a job whose nodes are to be kept. */
interface Hold {
  readonly job: string;
  readonly project: string;
  count: number;
}

const heldResults: readonly unknown[] = ['FAILURE', 'RETRY_LIMIT', 'POST_FAILURE', 'TIMED_OUT'];

/** What the workshop needs to know of the world around it. */
export interface Surroundings {
  readonly outcomes: readonly Outcome[];
  /** Name of a change in the scenario, given by its id or by the key of a patch set. */
  readonly nameOf: (key: string) => string;
  /** Project of a change, given by its id. */
  readonly projectOf: (change: string) => string;
}

/** Runs builds in virtual time: hands out semaphores and nodes, starts, ends, and cancels what nobody wants. */
export class Workshop {
  capacity: Capacity;
  limits: SemaphoreLimits = {};
  readonly #around: Surroundings;
  readonly #agenda = new Agenda();
  readonly #waiting = new Map<string, Waiting>();
  readonly #running = new Map<string, Running>();
  /** Ended, but the gate has not said yet how it takes the result. */
  readonly #ending = new Map<string, Running>();
  readonly #holds: Hold[] = [];
  readonly #held: Lease[] = [];
  /** What was wanted at the last comparison: a build set that still wants the same is not looked at again. */
  #plans: ReadonlyMap<BuildSetAction, Plan> = new Map();
  #holders: SemaphoreHolders = {};
  #serial = 0;

  constructor(around: Surroundings, capacity: Capacity) {
    this.#around = around;
    this.capacity = capacity;
  }

  /** When the next thing happens to a build. */
  get next(): number | undefined {
    this.#skipVoid();
    return this.#agenda.next?.time;
  }

  /** From now on, keeps the nodes of that many failed builds of the job. */
  hold(job: string, project: string, count: number): void {
    this.#holds.push({ job, project, count });
  }

  /** Lets the next thing happen to a build. */
  advance(): GateCommand | undefined {
    this.#skipVoid();
    const due = this.#agenda.take();
    const running = due && this.#running.get(due.build);
    if (!due || !running) return undefined;
    const { buildSet, course, build } = running;
    const common = { time: due.time, buildSet, build: build.key };
    if (due.kind === 'failing') return { ...common, type: 'build-failing' };
    const outcome = { ...course.outcome, time: due.time };
    if (due.kind === 'paused') return { ...common, type: 'build-paused', outcome };
    return this.#end(running, due.time);
  }

  /**
   * Compares what is wanted with what goes on: cancels, lets paused builds go on, and starts what can start.
   *
   * @returns what the gate has to hear of; empty once both agree
   */
  sync(actions: readonly BuildSetAction[], now: number): readonly GateCommand[] {
    const plans = new Map<BuildSetAction, Plan>();
    for (const action of actions) plans.set(action, this.#plans.get(action) ?? planOf(action));
    const fresh = [...plans].filter(([action]) => !this.#plans.has(action));
    this.#stopUnwanted(plans, fresh);
    const resumed = fresh.flatMap(([action, plan]) => plan.resume.map((build) => `${action.key}/${build}`));
    if (resumed.length > 0) return resumed.flatMap((key) => this.#resume(key, now));
    this.#plans = plans;
    for (const [action, plan] of fresh) for (const build of plan.start) this.#ask(action, build);
    if (this.#waiting.size === 0) return [];
    // Semaphores go by the order of queues, not of arrival: a build that is tried again comes before those behind it.
    const asked = [...plans].flatMap(([action, plan]) =>
      plan.start.flatMap((build) => this.#waitingFor(action, build)),
    );
    for (const waiting of asked) this.#takeEarlySemaphores(waiting);
    this.#takeNodes();
    return asked.flatMap((waiting) => this.#start(waiting, now));
  }

  #stopUnwanted(plans: ReadonlyMap<BuildSetAction, Plan>, fresh: readonly (readonly [unknown, Plan])[]): void {
    const wanted = new Set(fresh.flatMap(([, plan]) => plan.keys));
    for (const [action, { keys }] of this.#plans) {
      if (!plans.has(action)) for (const key of keys) if (!wanted.has(key)) this.#stop(key);
    }
  }

  #ask(action: BuildSetAction, build: PendingBuild): void {
    const key = `${action.key}/${build.key}`;
    if (this.#waiting.has(key) || this.#running.has(key)) return;
    const { nameOf, outcomes } = this.#around;
    const { job, nodeset, attempt } = build;
    const state = [...action.ahead, ...action.changes].map(nameOf);
    const of = { change: nameOf(job.change), pipeline: action.pipeline };
    const course = courseOf(outcomes, { job, nodeset, attempt, state, ...of });
    this.#waiting.set(key, { key, age: undefined, action, build, course, leases: undefined });
  }

  #waitingFor(action: BuildSetAction, build: PendingBuild): readonly Waiting[] {
    const waiting = this.#waiting.get(`${action.key}/${build.key}`);
    return waiting ? [waiting] : [];
  }

  #takeEarlySemaphores(waiting: Waiting): void {
    if (waiting.age !== undefined) return;
    if (!this.#acquire(waiting.key, semaphorePhases(waiting.build.job).beforeNodes)) return;
    this.#serial += 1;
    waiting.age = this.#serial;
  }

  #acquire(holder: string, names: readonly string[]): boolean {
    const next = acquire(this.#holders, this.limits, { holder, names });
    if (next) this.#holders = next;
    return next !== undefined;
  }

  /** Nodes go to those that have the semaphores that they want beforehand. */
  #takeNodes(): void {
    const requests = [...this.#waiting.values()].flatMap(({ key, age, action, build, course, leases }) => {
      if (age === undefined || leases !== undefined) return [];
      const labels = course.nodeFailure ? [] : build.nodeset.nodes.map((node) => node.label);
      return [{ id: key, age, labels, priority: action.permissions.priority - (build.underPaused ? 1 : 0) }];
    });
    const served = allocate(requests, this.#leases(), this.capacity);
    for (const [key, leases] of served) {
      const waiting = this.#waiting.get(key);
      if (waiting) waiting.leases = leases;
    }
  }

  #leases(): readonly Lease[] {
    const waiting = [...this.#waiting.values()].flatMap((one) => one.leases ?? []);
    return [...[...this.#running.values()].flatMap((one) => one.leases), ...waiting, ...this.#held];
  }

  #start(waiting: Waiting, now: number): readonly GateCommand[] {
    const { key, leases, build, action, course, age } = waiting;
    if (leases === undefined || age === undefined) return [];
    if (!this.#acquire(key, semaphorePhases(build.job).afterNodes)) return [];
    this.#waiting.delete(key);
    const node = leases.map((lease) => lease.node).join(',');
    this.#running.set(key, { key, buildSet: action.key, build, course, leases });
    const common = { start: now, serial: age, build: key };
    if (course.failingAfter !== undefined) {
      this.#agenda.add({ ...common, time: now + course.failingAfter, kind: 'failing' });
    }
    this.#agenda.add({ ...common, time: now + course.after, kind: course.pauses ? 'paused' : 'ended' });
    if (course.nodeFailure) return [];
    const started = { type: 'build-started', time: now, buildSet: action.key, build: build.key } as const;
    return [node === '' ? started : { ...started, node }];
  }

  #resume(key: string, now: number): readonly GateCommand[] {
    const running = this.#running.get(key);
    return running ? [this.#end(running, now)] : [];
  }

  #end(running: Running, now: number): GateCommand {
    const { buildSet, build, course } = running;
    this.#stop(running.key);
    this.#ending.set(running.key, running);
    return { type: 'build-ended', time: now, buildSet, build: build.key, outcome: { ...course.outcome, time: now } };
  }

  /** Hears how the gate takes the end of a build: after some failures the nodes are kept, when that was asked for. */
  closed(key: string, result: unknown): void {
    const ended = this.#ending.get(key);
    this.#ending.delete(key);
    if (!ended || ended.leases.length === 0 || !heldResults.includes(result)) return;
    const { name, change } = ended.build.job;
    const project = this.#around.projectOf(change);
    const hold = this.#holds.find((one) => one.count > 0 && one.job === name && one.project === project);
    if (!hold) return;
    hold.count -= 1;
    this.#held.push(...ended.leases);
  }

  /** Artifacts that a running build was given: of jobs ahead that it requires, then of jobs that it depends on. */
  received(key: string): readonly Artifact[] {
    const build = this.#running.get(key)?.build;
    return build ? [...build.artifacts, ...build.parents] : [];
  }

  /** A build waits and runs no longer, and gives back what it had. */
  #stop(key: string): void {
    this.#waiting.delete(key);
    this.#running.delete(key);
    this.#holders = release(this.#holders, key);
  }

  #skipVoid(): void {
    for (let due = this.#agenda.next; due && !this.#running.has(due.build); due = this.#agenda.next)
      this.#agenda.take();
  }
}

function planOf(action: BuildSetAction): Plan {
  const plan = pendingBuilds(action.state, action.permissions);
  const keys = [...plan.wanted, ...plan.start.map((build) => build.key)].map((key) => `${action.key}/${key}`);
  return { ...plan, keys };
}
