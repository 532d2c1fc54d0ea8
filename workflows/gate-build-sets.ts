import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  rootCause,
  type SignalDefinition,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { BuildSetAction, GateAction } from '../pipelines/gate/action.ts';
import type { StartedBuildSet } from '../pipelines/gate/memory.ts';
import { withoutResult } from '../pipelines/jobs/build-set.ts';
import { buildSet } from './build-set.ts';
import type { BuildSetInput } from './contract.ts';
import type { GateBook } from './gate-book.ts';
import { pauseAfter, startBudget } from './gate-budget.ts';
import type { GateClock, GateParts } from './gate-clock.ts';
import { buildSetId, type GateName } from './ids.ts';
import { closeSignal, permissionsSignal, retriggerSignal } from './messages.ts';
import { buildSetEdition } from './patches.ts';
import { attributes } from './search-attributes.ts';

/** What a gate does that did not begin before it did: runs that did keep to how they began. */
interface Ways {
  /** One word to a build set waits for the one before. */
  readonly ordered: boolean;
  /** Build sets are told their edition, a start that fails is tried again, and a retrigger is told for sure. */
  readonly holds: boolean;
}

/**
 * The build sets of a gate: children that outlive its runs, addressed by their workflow ids alone. Each is told one
 * thing at a time, so that nothing overtakes: its start, the latest permissions, jobs to run again, its end.
 */
export class GateBuildSets {
  readonly #name: GateName;
  readonly #book: GateBook;
  readonly #clock: GateClock;
  readonly #ways: Ways;
  /** What is on its way now. */
  readonly #open = new Set<Word>();

  constructor({ name, book, clock }: GateParts, ways: Ways) {
    this.#name = name;
    this.#book = book;
    this.#clock = clock;
    this.#ways = ways;
  }

  /** Nothing is being started or told just now. */
  get idle(): boolean {
    return this.#open.size === 0;
  }

  /** Starts what is wanted and not started, tells changed permissions, closes what is no longer wanted. */
  advance(actions: readonly GateAction[]): void {
    const wanted = new Map(actions.filter((action) => action.kind === 'build-set').map((one) => [one.key, one]));
    const left = Object.entries(this.#book.buildSets).filter(([key]) => !wanted.has(key));
    if (left.length > 0) {
      this.#book.closing = [...this.#book.closing, ...left.map(([, { workflow }]) => workflow)];
      this.#book.buildSets = Object.fromEntries(
        Object.entries(this.#book.buildSets).filter(([key]) => wanted.has(key)),
      );
    }
    for (const workflow of this.#book.closing) this.#close(workflow);
    for (const action of wanted.values()) this.#drive(action);
  }

  /** Whether there is something to tell to a build set that listens. */
  canTell(actions: readonly GateAction[]): boolean {
    if (this.#book.closing.some((workflow) => !this.#isBusy(workflow))) return true;
    return actions.some((action) => {
      if (action.kind !== 'build-set') return false;
      const entry = this.#book.buildSets[action.key];
      if (entry === undefined || this.#isBusy(entry.workflow) || isUpToDate(entry, action)) return false;
      return entry.started || this.#mayStart(action.key);
    });
  }

  /** Takes a retrigger to pass on: the build set decides, and tells the gate like of any build. */
  retrigger(key: string, job: string): boolean {
    const entry = this.#book.buildSets[key];
    if (!entry) return false;
    this.#keep(key, { ...entry, retriggers: [...entry.retriggers, job] });
    this.#tellRetrigger(key);
    return true;
  }

  /** What is still on its way counts as not told: the next run says it again. */
  takeBack(): void {
    for (const { undo } of this.#open) undo();
  }

  #drive(action: BuildSetAction): void {
    const { key } = action;
    const entry = this.#book.buildSets[key] ?? this.#enter(action);
    if (!entry || this.#mustWait(entry.workflow)) return;
    if (!entry.started && !this.#mayStart(key)) return;
    if (!entry.started) this.#start(action, entry);
    else if (entry.told !== JSON.stringify(action.permissions)) this.#permit(action, entry);
    else this.#tellRetrigger(key);
  }

  #permit({ key, permissions }: BuildSetAction, entry: StartedBuildSet): void {
    this.#keep(key, { ...entry, told: JSON.stringify(permissions) });
    const undo = () => this.#change(key, (now) => ({ ...now, told: entry.told }));
    this.#send({ workflow: entry.workflow, undo }, [permissionsSignal, permissions]);
  }

  #tellRetrigger(key: string): void {
    const entry = this.#book.buildSets[key];
    const [job, ...retriggers] = entry?.retriggers ?? [];
    if (!entry?.started || job === undefined || this.#mustWait(entry.workflow)) return;
    this.#keep(key, { ...entry, retriggers });
    const undo = () => this.#change(key, (now) => ({ ...now, retriggers: [job, ...now.retriggers] }));
    // One that has ended does not run it: what it had is all that there will be.
    const failed = () => void this.#book.fold({ type: 'retrigger-refused', time: Date.now(), buildSet: key, job });
    const { workflow, answers } = entry;
    this.#send({ workflow, undo, ...(answers ? { failed } : {}) }, [retriggerSignal, { job }]);
  }

  #close(workflow: string): void {
    if (this.#mustWait(workflow)) return;
    this.#book.closing = this.#book.closing.filter((one) => one !== workflow);
    const undo = () => {
      this.#book.closing = [...this.#book.closing, workflow];
    };
    this.#send({ workflow, undo }, [closeSignal]);
  }

  /** The entry of a build set that is to be started; none before its graph is there. */
  #enter(action: BuildSetAction): StartedBuildSet | undefined {
    const input = this.#input(action);
    if (!input) return undefined;
    const answers = this.#ways.holds ? { answers: true as const } : {};
    return { workflow: buildSetId(input), key: input.key, started: false, told: '', retriggers: [], ...answers };
  }

  #start(action: BuildSetAction, entry: StartedBuildSet): void {
    const input = this.#input(action);
    if (!input) return;
    this.#keep(action.key, { ...entry, started: true, told: JSON.stringify(action.permissions) });
    const undo = () => this.#change(action.key, (now) => ({ ...now, started: false }));
    const failed = (reason: string) => {
      undo();
      this.#notStarted(action.key, reason);
    };
    void this.#track({ workflow: entry.workflow, undo, failed }, startBuildSet(entry.workflow, input));
  }

  #mayStart(key: string): boolean {
    const trouble = this.#book.troubles[key];
    return trouble?.failed !== 'start' || (trouble.tries < startBudget.tries && trouble.next <= this.#clock.time);
  }

  /** Waits for the next try; after the last one its jobs have a result, with the reason, and nobody waits for them. */
  #notStarted(key: string, reason: string): void {
    const before = this.#book.troubles[key];
    const tries = before?.failed === 'start' ? before.tries + 1 : 1;
    const trouble = { failed: 'start', tries, reason, next: Date.now() + pauseAfter(startBudget, tries) } as const;
    this.#book.troubles = { ...this.#book.troubles, [key]: trouble };
    if (tries < startBudget.tries) return;
    const outcome = {
      result: 'ERROR',
      time: Date.now(),
      summary: `its build set cannot be started: ${reason}`,
    } as const;
    for (const build of withoutResult(this.#book.buildsOf(key))) {
      this.#book.fold({ type: 'build-ended', time: outcome.time, buildSet: key, build, outcome });
    }
  }

  #input(action: BuildSetAction): BuildSetInput | undefined {
    const change = this.#book.state.facts.changes[action.changes.at(-1) ?? ''];
    const graph = this.#book.graphs[action.key];
    if (!change || !graph) return undefined;
    return {
      ...this.#name,
      ...(this.#ways.holds ? { edition: buildSetEdition } : {}),
      project: change.project,
      change: change.id,
      patchset: change.patchset,
      key: this.#book.outerKey(action.key),
      gate: workflowInfo().workflowId,
      changes: action.changes,
      graph,
      permissions: action.permissions,
    };
  }

  #mustWait(workflow: string): boolean {
    return this.#ways.ordered && this.#isBusy(workflow);
  }

  #isBusy(workflow: string): boolean {
    return [...this.#open].some((word) => word.workflow === workflow);
  }

  #keep(key: string, entry: StartedBuildSet): void {
    this.#book.buildSets = { ...this.#book.buildSets, [key]: entry };
  }

  #change(key: string, change: (entry: StartedBuildSet) => StartedBuildSet): void {
    const entry = this.#book.buildSets[key];
    if (entry) this.#keep(key, change(entry));
  }

  #send<Args extends unknown[]>(word: Word, [signal, ...args]: [SignalDefinition<Args>, ...Args]) {
    void this.#track(word, getExternalWorkflowHandle(word.workflow).signal(signal, ...args));
  }

  async #track(word: Word, work: Promise<void>): Promise<void> {
    const { workflow, failed } = word;
    this.#open.add(word);
    try {
      await work;
    } catch (error) {
      const reason = rootCause(error) ?? String(error);
      log.warn('build set out of reach', { workflow, reason });
      if (this.#ways.holds) failed?.(reason);
    } finally {
      this.#open.delete(word);
    }
  }
}

/** Something that a build set is being told. */
interface Word {
  readonly workflow: string;
  /** Takes back that it was told. */
  readonly undo: () => void;
  /** What follows when it cannot be told. */
  readonly failed?: (reason: string) => void;
}

function isUpToDate({ started, told, retriggers }: StartedBuildSet, { permissions }: BuildSetAction): boolean {
  return started && retriggers.length === 0 && told === JSON.stringify(permissions);
}

async function startBuildSet(workflowId: string, input: BuildSetInput): Promise<void> {
  const { tenant, pipeline, queue, project, change, patchset, changes } = input;
  try {
    await startChild(buildSet, {
      args: [input],
      workflowId,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${pipeline}: ${project} ${change},${patchset}`,
      staticDetails: `Jobs of pipeline **${pipeline}** for ${changes.join(', ')} (queue ${queue}).`,
      typedSearchAttributes: attributes({ tenant, pipeline, queue, project, change }),
    });
  } catch (error) {
    // Its id is of this life alone, and was given to this graph: an earlier run has started it, and was not told.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
