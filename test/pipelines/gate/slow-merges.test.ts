import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GateAction } from '../../../pipelines/gate/action.ts';
import type { GateCommand } from '../../../pipelines/gate/command.ts';
import { handle } from '../../../pipelines/gate/handle.ts';
import { pending } from '../../../pipelines/gate/pending.ts';
import { type GateState, initialGate } from '../../../pipelines/gate/state.ts';
import { Invariants } from '../simulate/invariants.ts';
import { ended, enqueue, pipeline, ready, type Told } from './sample.ts';

/** A gate in a world that answers in any order, and that merges while all else goes on. */
class World {
  state: GateState = initialGate();
  readonly invariants = new Invariants();
  merges = 0;
  /** Taken along by the merge of the one ahead. */
  joined = 0;
  /** Prepared while something merged. */
  overtaken = 0;
  #changes = 0;

  constructor() {
    this.tell({ type: 'configure', pipelines: [pipeline()] });
  }

  tell(...commands: readonly Told[]): void {
    for (const told of commands) {
      const command = { ...told, time: this.state.time + 1 } as GateCommand;
      const handled = handle(this.state, command);
      this.state = handled.state;
      this.invariants.watch(command, handled);
    }
  }

  /** Another change comes in, or one of what the gate wants is answered, well or badly. */
  take(step: number): void {
    const all = pending(this.state).filter(isUndone);
    // Merges are in order.
    const wanted = all.filter((action) => action.kind !== 'submit' || action === all.find(isSubmit));
    const [choice, luck] = [step % (wanted.length + 1), step % 7];
    const action = wanted[choice];
    if (action) this.#answer(action, all, luck);
    else {
      this.#changes += 1;
      this.tell(...enqueue(`c${this.#changes}`));
    }
  }

  drain(): void {
    for (let wanted = pending(this.state); wanted[0]; wanted = pending(this.state)) {
      const action = wanted.find(isUndone);
      assert.ok(action, 'the gate waits for nothing');
      this.#answer(action, wanted, 1);
    }
    this.invariants.finish();
  }

  #answer(action: GateAction, all: readonly GateAction[], luck: number): void {
    if (action.kind === 'prepare') {
      this.overtaken += all.some(({ kind }) => kind === 'submit') ? 1 : 0;
      this.tell(ready(action.key));
    } else if (action.kind === 'build-set') this.tell(ended(action.key, luck === 0 ? 'FAILURE' : 'SUCCESS'));
    else if (action.kind === 'submit') {
      const { item } = action;
      this.merges += 1;
      this.joined += all.filter(isSubmit).length > 1 ? 1 : 0;
      const bad = { 0: { refused: 'closed' }, 2: { moved: 'master is another' } }[luck];
      this.tell({ type: 'submitted', item, merged: bad ? [] : action.changes, ...bad });
    } else this.tell({ type: 'done', action: action.key });
  }
}

/** A build set whose job has ended is wanted on, and nothing is to be said of it. */
function isUndone(action: GateAction): boolean {
  return action.kind !== 'build-set' || action.state.builds.every(({ result }) => result === null);
}

function isSubmit({ kind }: GateAction): boolean {
  return kind === 'submit';
}

test('nothing merges onto another state than it was tested on, however long merges take', () => {
  let [merges, overtaken, joined] = [0, 0, 0];
  const stories = fc.array(fc.nat({ max: 10_000 }), { minLength: 20, maxLength: 80 });
  fc.assert(
    fc.property(stories, (steps) => {
      const world = new World();
      for (const step of steps) world.take(step);
      world.drain();
      merges += world.merges;
      overtaken += world.overtaken;
      joined += world.joined;
    }),
    { numRuns: 400, seed: 1 },
  );
  const found = `${merges} merges, ${overtaken} prepared while one was under way, ${joined} with others behind them`;
  assert.ok(merges > 2_000 && overtaken > 500 && joined > 500, found);
});
