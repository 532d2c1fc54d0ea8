import { rootCause, workflowInfo } from '@temporalio/workflow';
import type { GateAction, PrepareAction, SubmitAction } from '../pipelines/gate/action.ts';
import type { ChangeFacts, GateCommand } from '../pipelines/gate/command.ts';
import { successOf } from '../pipelines/gate/finish.ts';
import { outside } from './activities.ts';
import type { FailedAction, SubmitInput, Submitted, TellAction } from './contract.ts';
import type { GateBook } from './gate-book.ts';
import { budgets, pauseAfter, startPause } from './gate-budget.ts';
import type { GateClock, GateParts } from './gate-clock.ts';
import type { GateName } from './ids.ts';

type Lane = keyof typeof budgets;

const lanes = ['prepare', 'submit', 'tell'] as const;

/** The most that one activity takes, so that its input and its result stay small. */
const batches = { prepare: 50, submit: 20, tell: 100 } as const;

/** What is to be folded once an action was carried out, or was given up for a reason. */
type Conclude = (key: string, reason: string) => GateCommand;

/** What a gate does that did not begin before it did: runs that did keep to how they began. */
interface Ways {
  /** Activities take a limited number of actions. */
  readonly bounded: boolean;
  /** What is merged in part when a merge is given up is kept. */
  readonly holds: boolean;
}

/**
 * The gate's own effects. Each lane has at most one activity under way, which takes what is wanted at that moment, in
 * order: states are prepared as one chain, and reports on a change leave in the order in which they were decided. An
 * action that fails waits for its next try, and keeps only those waiting that need it.
 */
export class GateLanes {
  readonly #name: GateName;
  readonly #book: GateBook;
  readonly #clock: GateClock;
  readonly #ways: Ways;
  readonly #busy = new Set<Lane>();

  constructor({ name, book, clock }: GateParts, ways: Ways) {
    this.#name = name;
    this.#book = book;
    this.#clock = clock;
    this.#ways = ways;
  }

  get idle(): boolean {
    return this.#busy.size === 0;
  }

  /** Starts what is wanted in the lanes that are free. */
  advance(actions: readonly GateAction[]): void {
    this.#run('prepare', this.#preparable(actions), (wanted) => this.#prepare(wanted));
    this.#run('submit', this.#submittable(actions), (wanted) => this.#submit(wanted));
    this.#run('tell', this.#tellable(actions), (wanted) => this.#tell(wanted));
  }

  /** Whether a free lane has something to start now. */
  canStart(actions: readonly GateAction[]): boolean {
    const startable = {
      prepare: () => this.#preparable(actions),
      submit: () => this.#submittable(actions),
      tell: () => this.#tellable(actions),
    };
    return lanes.some((lane) => !this.#busy.has(lane) && startable[lane]().length > 0);
  }

  /** Milliseconds until something may be tried again, or is to be told; undefined where nothing waits for that. */
  pauseFor(actions: readonly GateAction[]): number | undefined {
    const now = this.#clock.time;
    const tries = Object.values(this.#book.troubles).map(({ next }) => next);
    const next = [...tries, ...actions.map(earliest)].filter((time) => time > now);
    return next.length === 0 ? undefined : Math.min(...next) - now;
  }

  #run<A extends { readonly key: string }>(
    lane: Lane,
    wanted: readonly A[],
    work: (wanted: readonly A[]) => Promise<void>,
  ) {
    if (wanted.length === 0 || this.#busy.has(lane)) return;
    const batch = this.#ways.bounded ? wanted.slice(0, batches[lane]) : wanted;
    this.#busy.add(lane);
    void work(batch)
      .catch((error: unknown) => this.#allAway(lane, batch, rootCause(error) ?? String(error)))
      .finally(() => this.#busy.delete(lane));
  }

  /** A state is made once the one below it is there, or in the same chain. */
  #preparable(actions: readonly GateAction[]): readonly PrepareAction[] {
    const made = new Set(Object.keys(this.#book.graphs));
    return actions.filter(isPrepare).filter(({ key, base }) => {
      if (this.#waits(key) || (base !== null && !made.has(base))) return false;
      made.add(key);
      return true;
    });
  }

  /** Merges keep their order: one that waits for its next try keeps the others waiting. */
  #submittable(actions: readonly GateAction[]): readonly SubmitAction[] {
    const merges = actions.filter(isSubmit);
    const waiting = merges.findIndex(({ key }) => this.#waits(key));
    return waiting < 0 ? merges : merges.slice(0, waiting);
  }

  /** What is said on a change stays in order; others need not wait. */
  #tellable(actions: readonly GateAction[]): readonly TellAction[] {
    const held = new Set<string>();
    const now = this.#clock.time;
    return actions.filter(isTelling).filter((action) => {
      if (earliest(action) > now) return false;
      const about = changesOf(action);
      if (!this.#waits(action.key) && !about.some((change) => held.has(change))) return true;
      for (const change of about) held.add(change);
      return false;
    });
  }

  #waits(key: string): boolean {
    return (this.#book.troubles[key]?.next ?? 0) > this.#clock.time;
  }

  async #prepare(wanted: readonly PrepareAction[]): Promise<void> {
    const items = wanted.map(({ key, base, changes, ahead, trigger }) => {
      return { key, base, changes: this.#facts(changes), ahead: base === null ? this.#facts(ahead) : [], trigger };
    });
    const bases = Object.entries(this.#book.graphs).filter(([key]) => wanted.some(({ base }) => base === key));
    const input = { ...this.#name, items, graphs: Object.fromEntries(bases) };
    const summary = `Prepare ${items.length} state(s): ${wanted.map(({ changes }) => changes.join(' ')).join(', ')}`;
    for (const result of await outside.prepare.executeWithOptions(brief(summary), [input])) {
      if ('failed' in result) {
        this.#failed('prepare', result);
        continue;
      }
      const { key, outcome, graph } = result;
      if (graph) this.#book.graphs = { ...this.#book.graphs, [key]: graph };
      this.#book.fold({ type: 'prepared', time: Date.now(), buildSet: key, outcome });
    }
  }

  async #submit(wanted: readonly SubmitAction[]): Promise<void> {
    const merges = wanted.map((action) => {
      const { key, buildSet, changes, rules } = action;
      const graph = this.#book.graphs[buildSet] ?? null;
      return { ...this.#name, key, changes: this.#facts(changes), rules, graph, ...this.#success(action) };
    });
    const summary = brief(`Merge ${wanted.map(({ changes }) => changes.join(', ')).join(', then ')}`);
    const [first, ...others] = merges;
    if (first === undefined) return;
    const answers =
      others.length === 0
        ? [await outside.submit.executeWithOptions(summary, [first])]
        : await outside.submitTogether.executeWithOptions(summary, [{ merges }]);
    // Those without an answer are asked for again, or begin anew.
    for (const [index, answer] of answers.entries()) {
      const action = wanted[index];
      if (action) this.#submitted(action, answer);
    }
  }

  /** What the item's report will say, as the world will know it. */
  #success({ item }: SubmitAction): Pick<SubmitInput, 'report'> {
    const { state } = this.#book;
    const found = state.queues.flatMap((queue) => queue.items).find(({ id }) => id === item);
    if (!found) return {};
    const { key, action, message } = this.#named(successOf(state, found));
    return { report: { life: workflowInfo().firstExecutionRunId, key, action, message } };
  }

  #submitted({ key, item }: SubmitAction, answer: Submitted): void {
    const { away, broken, ...known } = answer;
    // What is given up may be merged in part, and the record says so.
    const giveUp = () => this.#book.fold(givenUpMerge(key, { ...this.#known(known), refused: broken ?? '' }));
    if (away !== undefined) this.#failed('submit', { key, failed: 'away', reason: away }, giveUp);
    else if (broken !== undefined) this.#failed('submit', { key, failed: 'refused', reason: broken }, giveUp);
    else this.#book.fold({ type: 'submitted', time: Date.now(), item, ...known });
  }

  async #tell(wanted: readonly TellAction[]): Promise<void> {
    const summary = wanted.map((action) => `${action.kind} ${changesOf(action)}`);
    const life = workflowInfo().firstExecutionRunId;
    const actions = wanted.map((action) => this.#named(action));
    const told = await outside.tell.executeWithOptions(brief(summary.join(', ')), [{ ...this.#name, life, actions }]);
    const inner = new Map(actions.map(({ key }, index) => [key, wanted[index]?.key ?? key]));
    for (const result of told ?? actions) {
      const key = inner.get(result.key) ?? result.key;
      if ('failed' in result) this.#failed('tell', { ...result, key });
      else this.#book.fold({ type: 'done', time: Date.now(), action: key });
    }
  }

  /** The action as the world knows it: no other life of the gate has said this. */
  #named<A extends TellAction>(action: A): A {
    if (action.kind !== 'report' || action.buildSet === null) return action;
    const buildSet = this.#book.outerKey(action.buildSet);
    return { ...action, buildSet, key: action.key.replace(action.buildSet, buildSet) };
  }

  #allAway(lane: Lane, actions: readonly { readonly key: string }[], reason: string): void {
    for (const { key } of actions) this.#failed(lane, { key, failed: 'away', reason });
  }

  #known({ merged, unknown }: Submitted): Pick<Submitted, 'merged' | 'unknown'> {
    if (!this.#ways.holds) return { merged: [] };
    return { merged, ...(unknown === undefined ? {} : { unknown }) };
  }

  /** Waits for the next try, or gives up. */
  #failed(lane: Lane, { key, failed, reason }: FailedAction, giveUp?: () => void): void {
    const before = this.#book.troubles[key];
    const tries = before?.failed === failed ? before.tries + 1 : 1;
    const budget = budgets[lane][failed];
    if (tries < budget.tries) {
      const trouble = { failed, tries, reason, next: Date.now() + pauseAfter(budget, tries) };
      this.#book.troubles = { ...this.#book.troubles, [key]: trouble };
    } else if (giveUp) giveUp();
    else this.#book.fold(givenUp[lane](key, reason));
  }

  #facts(keys: readonly string[]): readonly ChangeFacts[] {
    const known = this.#book.state.facts.changes;
    return keys.map((key) => known[key]).filter((change) => change !== undefined);
  }
}

/** What the gate hears of an action that was given up. */
const givenUp: Readonly<Record<Lane, Conclude>> = {
  prepare: (buildSet, reason) => {
    const outcome = { kind: 'config-error', message: `its state cannot be prepared: ${reason}` } as const;
    return { type: 'prepared', time: Date.now(), buildSet, outcome };
  },
  submit: (key, refused) => givenUpMerge(key, { merged: [], refused }),
  tell: (action, failed) => ({ type: 'done', time: Date.now(), action, failed }),
};

function givenUpMerge(key: string, answer: Omit<Submitted, 'away' | 'broken'>): GateCommand {
  return { type: 'submitted', time: Date.now(), item: key.slice(0, key.lastIndexOf('.')), ...answer };
}

/** Options of one call: what the Temporal Web UI shows of it, on one line. */
function brief(summary: string): { readonly summary: string } {
  return { summary: summary.length > 180 ? `${summary.slice(0, 180)}…` : summary };
}

function changesOf(action: TellAction): readonly string[] {
  return 'changes' in action ? action.changes : [action.change];
}

/** When an action may be carried out, as far as that is not at once. */
function earliest(action: GateAction): number {
  return action.kind === 'report' && action.since !== undefined ? action.since + startPause : 0;
}

function isPrepare(action: GateAction): action is PrepareAction {
  return action.kind === 'prepare';
}

function isSubmit(action: GateAction): action is SubmitAction {
  return action.kind === 'submit';
}

function isTelling(action: GateAction): action is TellAction {
  return action.kind === 'report' || action.kind === 'supersede' || action.kind === 'fire';
}
