import { workflowInfo } from '@temporalio/workflow';
import type { GateAction, PrepareAction, SubmitAction } from '../pipelines/gate/action.ts';
import type { ChangeFacts } from '../pipelines/gate/command.ts';
import { control } from './activities.ts';
import type { TellAction } from './contract.ts';
import type { GateBook } from './gate-book.ts';
import type { GateName } from './ids.ts';

type Lane = 'prepare' | 'submit' | 'tell';

/**
 * The gate's own effects. Each lane has at most one activity under way, which takes all that is wanted at that
 * moment, in order: states are prepared as one chain, and reports leave in the order in which they were decided.
 */
export class GateLanes {
  readonly #name: GateName;
  readonly #book: GateBook;
  readonly #busy = new Set<Lane>();

  constructor(name: GateName, book: GateBook) {
    this.#name = name;
    this.#book = book;
  }

  get idle(): boolean {
    return this.#busy.size === 0;
  }

  /** Starts what is wanted in the lanes that are free. */
  advance(actions: readonly GateAction[]): void {
    this.#run('prepare', actions.filter(isPrepare), (wanted) => this.#prepare(wanted));
    this.#run('submit', actions.filter(isSubmit).slice(0, 1), (wanted) => this.#submit(wanted));
    this.#run('tell', actions.filter(isTelling), (wanted) => this.#tell(wanted));
  }

  #run<A>(lane: Lane, wanted: readonly A[], work: (wanted: readonly A[]) => Promise<void>): void {
    if (wanted.length === 0 || this.#busy.has(lane)) return;
    this.#busy.add(lane);
    void work(wanted).finally(() => {
      this.#busy.delete(lane);
      this.#book.changed = true;
    });
  }

  async #prepare(wanted: readonly PrepareAction[]): Promise<void> {
    const items = wanted.map(({ key, base, changes, ahead, trigger }) => {
      return { key, base, changes: this.#facts(changes), ahead: base === null ? this.#facts(ahead) : [], trigger };
    });
    const bases = Object.entries(this.#book.graphs).filter(([key]) => wanted.some(({ base }) => base === key));
    const input = { ...this.#name, items, graphs: Object.fromEntries(bases) };
    const summary = `Prepare ${items.length} state(s): ${wanted.map(({ changes }) => changes.join(' ')).join(', ')}`;
    const prepared = await control.prepare.executeWithOptions(brief(summary), [input]);
    for (const { key, outcome, graph } of prepared) {
      if (graph) this.#book.graphs = { ...this.#book.graphs, [key]: graph };
      this.#book.fold({ type: 'prepared', time: Date.now(), buildSet: key, outcome });
    }
  }

  async #submit(wanted: readonly SubmitAction[]): Promise<void> {
    for (const { key, item, buildSet, changes, rules } of wanted) {
      const graph = this.#book.graphs[buildSet] ?? null;
      const input = { ...this.#name, key, changes: this.#facts(changes), rules, graph };
      const answer = await control.submit.executeWithOptions(brief(`Merge ${changes.join(', ')}`), [input]);
      this.#book.fold({ type: 'submitted', time: Date.now(), item, ...answer });
    }
  }

  async #tell(actions: readonly TellAction[]): Promise<void> {
    const summary = actions.map((action) => `${action.kind} ${'changes' in action ? action.changes : action.change}`);
    const life = workflowInfo().firstExecutionRunId;
    await control.tell.executeWithOptions(brief(summary.join(', ')), [{ ...this.#name, life, actions }]);
    for (const { key } of actions) this.#book.fold({ type: 'done', time: Date.now(), action: key });
  }

  #facts(keys: readonly string[]): readonly ChangeFacts[] {
    const known = this.#book.state.facts.changes;
    return keys.map((key) => known[key]).filter((change) => change !== undefined);
  }
}

/** Options of one call: what the Temporal Web UI shows of it, on one line. */
function brief(summary: string): { readonly summary: string } {
  return { summary: summary.length > 180 ? `${summary.slice(0, 180)}…` : summary };
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
