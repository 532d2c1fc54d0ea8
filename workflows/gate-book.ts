import type { GateAction } from '../pipelines/gate/action.ts';
import type { GateAnswer, GateCommand } from '../pipelines/gate/command.ts';
import { decide } from '../pipelines/gate/decide.ts';
import { handle } from '../pipelines/gate/handle.ts';
import { pending } from '../pipelines/gate/pending.ts';
import { type GateState, type Item, initialGate } from '../pipelines/gate/state.ts';
import type { GateMemory, GateMessage, GraphRef } from './contract.ts';

/** Messages whose ids are remembered: senders repeat themselves for minutes, not for ever. */
const ledgerSize = 1_000;

/** What a gate knows, between the pure core and the workflow around it. */
export class GateBook {
  state: GateState;
  graphs: Readonly<Record<string, GraphRef>>;
  buildSets: GateMemory['buildSets'];
  sequence: number;
  /** Something happened since the flag was last cleared. */
  changed = true;
  readonly #handled: Set<string>;

  /** @param memory what the gate's earlier run left */
  constructor(memory?: GateMemory) {
    this.state = memory?.state ?? initialGate();
    this.graphs = memory?.graphs ?? {};
    this.buildSets = memory?.buildSets ?? {};
    this.sequence = memory?.sequence ?? 0;
    this.#handled = new Set(memory?.handled ?? []);
  }

  /** Applies a message once, and answers to its last command. */
  receive(message: GateMessage): GateAnswer {
    if (this.#handled.has(message.id)) return { ok: true };
    this.#remember(message.id);
    this.#configure(message);
    let answer: GateAnswer = { ok: true };
    for (const command of message.commands) answer = this.fold(command);
    return answer;
  }

  /** Folds one command, at a time that never runs backwards. */
  fold(command: GateCommand): GateAnswer {
    const time = Math.max(this.state.time, command.time);
    const { state, answer } = handle(this.state, { ...command, time });
    if (state !== this.state) {
      this.state = state;
      this.changed = true;
    }
    return answer;
  }

  /** The core's answer to a command, without its effects. */
  ask(command: GateCommand): GateAnswer {
    return decide(this.state, command).answer;
  }

  /** What the core wants to be going on. Forgets the graphs and build sets that nothing wants any more. */
  wanted(): readonly GateAction[] {
    const actions = pending(this.state);
    const used = new Set(actions.flatMap(graphsOf));
    if (Object.keys(this.graphs).some((key) => !used.has(key))) {
      this.graphs = Object.fromEntries(Object.entries(this.graphs).filter(([key]) => used.has(key)));
    }
    return actions;
  }

  /** The item that holds a change, named by its id or by a patch set's key, in a pipeline. */
  itemOf(pipeline: string, change: string): Item | undefined {
    const items = this.state.queues.flatMap((queue) => queue.items);
    const named = (key: string) => key === change || key.slice(0, key.lastIndexOf(',')) === change;
    return items.find((item) => item.live && item.pipeline === pipeline && item.changes.some(named));
  }

  /** All that the next run needs. */
  memory(): GateMemory {
    const { state, graphs, buildSets, sequence } = this;
    return { version: 1, state, graphs, buildSets, sequence, handled: [...this.#handled] };
  }

  #configure({ pipeline, limits }: GateMessage): void {
    if (!pipeline) return;
    const now = JSON.stringify([this.state.pipelines[0], this.state.limits]);
    if (now === JSON.stringify([pipeline, limits ?? {}])) return;
    this.fold({ type: 'configure', time: 0, pipelines: [pipeline], ...(limits === undefined ? {} : { limits }) });
  }

  #remember(id: string): void {
    this.#handled.add(id);
    for (const oldest of this.#handled) {
      if (this.#handled.size <= ledgerSize) return;
      this.#handled.delete(oldest);
    }
  }
}

/** The build sets whose graphs an action needs. */
function graphsOf(action: GateAction): readonly string[] {
  if (action.kind === 'prepare') return action.base === null ? [] : [action.base];
  if (action.kind === 'build-set') return [action.key];
  return action.kind === 'submit' ? [action.buildSet] : [];
}
