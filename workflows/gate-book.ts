import { uuid4 } from '@temporalio/workflow';
import type { GateAction } from '../pipelines/gate/action.ts';
import type { GateAnswer, GateCommand } from '../pipelines/gate/command.ts';
import { decide } from '../pipelines/gate/decide.ts';
import { handle } from '../pipelines/gate/handle.ts';
import type { ActionTrouble, FirstGateMemory, GateMemory, StartedBuildSet } from '../pipelines/gate/memory.ts';
import { pending } from '../pipelines/gate/pending.ts';
import { type GateState, type Item, initialGate } from '../pipelines/gate/state.ts';
import { upgradeMemory } from '../pipelines/gate/upgrade.ts';
import type { BuildSetState } from '../pipelines/jobs/state.ts';
import { changeIdOf } from '../pipelines/model/change.ts';
import type { GateMessage, GraphRef } from './contract.ts';
import { buildSetKey, splitBuildSetKey } from './ids.ts';
import { firstLedgerBounds, Ledger, ledgerBounds } from './ledger.ts';

const empty: GateMemory = {
  version: 2,
  state: initialGate(),
  handled: [],
  graphs: {},
  buildSets: {},
  closing: [],
  tokens: {},
  troubles: {},
  sequence: 0,
};

interface Ways {
  /** Keys are unique over the lives of the gate. */
  readonly named: boolean;
  /** Answers are known as long as anybody may ask again. */
  readonly holds: boolean;
  /** Items keep what they stand on and has merged. */
  readonly keepsMerged: boolean;
  /** Items are built on what is being merged. */
  readonly stacksOnMerging: boolean;
  /** Items are merged with the one ahead where they are done, too. */
  readonly mergesTogether: boolean;
  /** Starts are told after a while. */
  readonly startsLate: boolean;
  /** They are not told where all jobs are over by then. */
  readonly dropsStarts: boolean;
}

type Retrigger = (key: string, job: string) => boolean;

/** What a gate knows, between the pure core and the workflow around it. */
export class GateBook {
  state: GateState;
  graphs: Readonly<Record<string, GraphRef>>;
  buildSets: Readonly<Record<string, StartedBuildSet>>;
  closing: readonly string[];
  troubles: Readonly<Record<string, ActionTrouble>>;
  sequence: number;
  readonly #named: boolean;
  readonly #tokens: Map<string, string>;
  readonly #ledger: Ledger;

  /**
   * @param memory what the gate's earlier run left
   * @param ways what the gate does that did not begin before it did: runs that did keep to how they began
   */
  constructor(memory: GateMemory | FirstGateMemory | undefined, { named, holds, ...ways }: Ways) {
    const { state, graphs, buildSets, closing, troubles, sequence, ...more } = upgradeMemory(memory ?? empty);
    this.state = { ...state, ...ways };
    this.graphs = graphs;
    this.buildSets = buildSets;
    this.closing = closing;
    this.troubles = troubles;
    this.sequence = sequence;
    this.#named = named;
    this.#tokens = new Map(Object.entries(more.tokens));
    this.#ledger = new Ledger(more.handled, holds ? ledgerBounds : firstLedgerBounds);
  }

  /**
   * Applies a message once, and answers to its last command; one that comes again gets the same answer.
   *
   * @param retrigger passes a job that is to run again on to its build set; absent where a build set itself tells of it
   */
  receive(message: GateMessage, retrigger?: Retrigger): GateAnswer {
    const before = this.#ledger.answerTo(message.id);
    if (before) return before;
    this.#configure(message);
    let answer = this.#beginAnew(message);
    for (const command of message.commands) answer = this.#take(command, message, retrigger);
    this.#ledger.keep(message.id, answer, Date.now());
    return answer;
  }

  /** Folds one command, at a time that never runs backwards. */
  fold(command: GateCommand): GateAnswer {
    const time = Math.max(this.state.time, command.time);
    const { state, answer } = handle(this.state, { ...command, time });
    this.state = state;
    return answer;
  }

  /** What the core wants to be going on. Forgets what belongs to actions and build sets that nothing wants any more. */
  wanted(): readonly GateAction[] {
    const actions = pending(this.state);
    const keys = new Set(actions.map(({ key }) => key));
    const graphs = new Set(actions.flatMap(graphsOf));
    this.graphs = only(this.graphs, (key) => graphs.has(key));
    this.troubles = only(this.troubles, (key) => keys.has(key));
    const used = new Set(actions.flatMap((action) => buildSetOf(action) ?? []));
    for (const key of [...this.#tokens.keys()]) if (!used.has(key) && !graphs.has(key)) this.#tokens.delete(key);
    return actions;
  }

  /**
   * A build set's key as the world knows it: unique over all lives of the gate, also over those that a reset has cut
   * off, whose later numbers are given out again.
   */
  outerKey(key: string): string {
    const started = this.buildSets[key];
    if (started || !this.#named) return started?.key ?? key;
    // After a reset the next draws are others than those of the run that was cut off.
    const token = this.#tokens.get(key) ?? uuid4().slice(0, 8);
    this.#tokens.set(key, token);
    return buildSetKey(key, token);
  }

  /** The item that holds a change, named by its id or by a patch set's key, in a pipeline. */
  itemOf(pipeline: string, change: string): Item | undefined {
    const items = this.state.queues.flatMap((queue) => queue.items);
    const named = (key: string) => key === change || changeIdOf(key) === change;
    return items.find((item) => item.live && item.pipeline === pipeline && item.changes.some(named));
  }

  /** What has become of a build set's jobs, as far as it is wanted. */
  buildsOf(key: string): BuildSetState | null {
    const items = this.state.queues.flatMap((queue) => queue.items);
    return items.find(({ buildSet }) => buildSet.key === key)?.buildSet.builds ?? null;
  }

  /** All that the next run needs. */
  memory(): GateMemory {
    const { state, graphs, buildSets, closing, troubles, sequence } = this;
    const tokens = Object.fromEntries(this.#tokens);
    const handled = this.#ledger.handedOn();
    return { version: 2, state, graphs, buildSets, closing, troubles, sequence, tokens, handled };
  }

  /** News of builds counts only from the build set that this gate has started; a retrigger is first the build set's. */
  #take(command: GateCommand, { from }: GateMessage, retrigger?: Retrigger): GateAnswer {
    if (from !== undefined && !Object.values(this.buildSets).some(({ workflow }) => workflow === from)) {
      return no(`${from} does not belong to this queue`);
    }
    if ('buildSet' in command) {
      const { key: buildSet } = splitBuildSetKey(command.buildSet);
      if (this.buildSets[buildSet]?.key !== command.buildSet) {
        return no(`build set ${command.buildSet} does not belong to this queue`);
      }
      return this.fold({ ...command, buildSet });
    }
    if (command.type !== 'retrigger' || !retrigger) return this.fold(command);
    return this.#retrigger(command, retrigger);
  }

  /**
   * A build set that was reset begins again from before what it has told, and would never come to the end of that: when
   * another run speaks than before, its item begins anew, with another build set.
   */
  #beginAnew({ from, run }: GateMessage): GateAnswer {
    const found = Object.entries(this.buildSets).find(([, { workflow }]) => workflow === from);
    const [key, entry] = found ?? [];
    if (key === undefined || entry === undefined || run === undefined) return { ok: true };
    if (entry.run !== undefined && entry.run !== run)
      return this.fold({ type: 'build-set-lost', time: 0, buildSet: key });
    this.buildSets = { ...this.buildSets, [key]: { ...entry, run } };
    return { ok: true };
  }

  /** The answer is yes once nothing can come before it: the item has no verdict until its build set has said more. */
  #retrigger(command: GateCommand & { type: 'retrigger' }, pass: Retrigger): GateAnswer {
    const { pipeline, change, job } = command;
    const { key = '', asked = [] } = this.itemOf(pipeline, change)?.buildSet ?? {};
    const { answers, started } = this.buildSets[key] ?? {};
    if (answers && !started) return no(`the jobs of ${change} have not begun`);
    const answer = answers ? this.fold({ ...command, type: 'retrigger-asked' }) : decide(this.state, command).answer;
    if (!answer.ok) return answer;
    const wanted = answers
      ? this.itemOf(pipeline, change)?.buildSet.asked?.filter((one) => !asked.includes(one))
      : [job];
    const passed = wanted?.every((one) => pass(key, one)) ?? false;
    return passed ? answer : no(`${change} has no jobs to run again yet`);
  }

  #configure({ pipeline, limits }: GateMessage): void {
    if (!pipeline) return;
    const now = JSON.stringify([this.state.pipelines[0], this.state.limits]);
    if (now === JSON.stringify([pipeline, limits ?? {}])) return;
    this.fold({ type: 'configure', time: 0, pipelines: [pipeline], ...(limits === undefined ? {} : { limits }) });
  }
}

function no(reason: string): GateAnswer {
  return { ok: false, reason };
}

/** Those of a record whose keys hold; the same record where all do. */
function only<T>(record: Readonly<Record<string, T>>, holds: (key: string) => boolean): Readonly<Record<string, T>> {
  const entries = Object.entries(record);
  const kept = entries.filter(([key]) => holds(key));
  return kept.length === entries.length ? record : Object.fromEntries(kept);
}

/** The build sets whose graphs an action needs. */
function graphsOf(action: GateAction): readonly string[] {
  if (action.kind === 'prepare') return action.base === null ? [] : [action.base];
  if (action.kind === 'build-set') return [action.key];
  return action.kind === 'submit' ? [action.buildSet] : [];
}

/** The build set that an action is about. */
function buildSetOf(action: GateAction): string | undefined {
  if (action.kind === 'prepare' || action.kind === 'build-set') return action.key;
  if (action.kind === 'submit' || action.kind === 'report') return action.buildSet ?? undefined;
  return undefined;
}
