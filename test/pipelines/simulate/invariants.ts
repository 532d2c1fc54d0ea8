import assert from 'node:assert/strict';
import type { GateCommand } from '../../../pipelines/gate/command.ts';
import type { GateEvent } from '../../../pipelines/gate/event.ts';
import { evolve } from '../../../pipelines/gate/evolve.ts';
import type { Handled } from '../../../pipelines/gate/handle.ts';
import { type GateState, type Item, initialGate, type Queue } from '../../../pipelines/gate/state.ts';
import { currentBuilds } from '../../../pipelines/jobs/build-set.ts';

/** Watches a gate and fails on the first thing that must never be. */
export class Invariants {
  steps = 0;
  #state: GateState = initialGate();
  readonly #events: GateEvent[] = [];
  readonly #reported = new Set<string>();
  /** Queue to the changes that merged through it, in order. */
  readonly #merged = new Map<string, string[]>();
  /** Build set to the number of changes that had merged through its queue when it was based. */
  readonly #basedAt = new Map<string, number>();

  /** Sees a command and what it came to. */
  readonly watch = (command: GateCommand, { state, events }: Handled): void => {
    this.steps += 1;
    this.#events.push(...events);
    if (command.type === 'submitted') this.#checkMerge(command);
    for (const event of events) this.#look(event, state);
    this.#state = state;
    for (const queue of state.queues) this.#checkQueue(queue, state);
    checkSemaphores(state);
  };

  /** At the end: everything has drained, and the events tell the whole story. */
  finish(): void {
    const left = this.#state.queues.flatMap((queue) => queue.items.map((item) => item.changes));
    assert.deepEqual(left, [], 'every build has ended, but the queues have not drained');
    assert.deepEqual(this.#state.outbox, [], 'something was never said');
    const replayed = this.#events.reduce(evolve, initialGate());
    assert.deepEqual(replayed, this.#state, 'the events give another state');
  }

  #look(event: GateEvent, state: GateState): void {
    if (event.type === 'item-based') {
      const item = itemOf(state, event.item) ?? itemOf(this.#state, event.item);
      if (item) this.#basedAt.set(item.id, this.#merged.get(item.queue)?.length ?? 0);
    }
    if (event.type !== 'action-wanted' || event.action.kind !== 'report') return;
    const { result, buildSet, changes } = event.action;
    if (result === null || buildSet === null) return;
    const item = buildSet.slice(0, buildSet.lastIndexOf('.'));
    assert.ok(!this.#reported.has(item), `${changes.join()} is finally reported twice`);
    this.#reported.add(item);
  }

  #checkMerge(command: GateCommand & { type: 'submitted' }): void {
    const item = itemOf(this.#state, command.item);
    if (!item || command.merged.length === 0) return;
    const { builds, base } = item.buildSet;
    assert.ok(builds && base, `${item.changes.join()} merged without builds`);
    const current = currentBuilds(builds);
    for (const job of builds.graph.jobs.filter((one) => one.voting)) {
      const result = current.get(job.key)?.result;
      assert.ok(
        result === 'SUCCESS' || result === 'SKIPPED',
        `${item.changes.join()} merged with ${job.key}: ${result}`,
      );
    }
    const merged = this.#merged.get(item.queue) ?? [];
    const since = merged.slice(this.#basedAt.get(item.id) ?? 0);
    const outside = (key: string) => !merged.includes(key) && this.#state.facts.changes[key]?.status === 'merged';
    const tested = base.ahead.filter((key) => !outside(key));
    assert.deepEqual(since, tested, `${item.changes.join()} merged onto another state than it was tested on`);
    this.#checkNeeds(item, command.merged);
    this.#merged.set(item.queue, [...merged, ...command.merged]);
  }

  #checkNeeds(item: Item, merged: readonly string[]): void {
    const { changes, patchsets } = this.#state.facts;
    for (const key of merged) {
      const change = changes[key];
      for (const need of [...(change?.parents ?? []), ...(change?.dependsOn ?? [])]) {
        const keys = patchsets[need] ?? [];
        const fine = keys.some((one) => item.changes.includes(one) || changes[one]?.status === 'merged');
        assert.ok(fine, `${key} merged before ${need}, which it needs`);
      }
    }
  }

  #checkQueue(queue: Queue, state: GateState): void {
    const rule = state.pipelines.find((one) => one.name === queue.pipeline)?.window;
    if (queue.lasting && rule && queue.window > 0) {
      const [least, most] = [Math.min(rule.size, rule.floor, 1), Math.max(rule.size, rule.ceiling ?? 1e9)];
      assert.ok(queue.window >= least && queue.window <= most, `window ${queue.window} out of ${least}..${most}`);
    }
    for (const item of queue.items) checkBase(queue, item, state);
  }
}

/** What an item that may still merge is tested on must be what lies ahead of it: merged, or on its way to merge. */
function checkBase(queue: Queue, item: Item, state: GateState): void {
  const { base, builds } = item.buildSet;
  if (!base || !builds || builds.canceled || item.failing.length > 0 || !item.live) return;
  const chain: string[] = [];
  for (let one = itemIn(queue, item.ahead); one; one = itemIn(queue, one.ahead)) {
    chain.unshift(...one.changes);
    // What merged outside the gate stays merged, whatever its jobs still say.
    const merged = one.changes.every((key) => state.facts.changes[key]?.status === 'merged');
    assert.ok(
      !one.live || merged || one.failing.length === 0,
      `${item.changes.join()} is built on ${one.changes.join()}, which is failing`,
    );
  }
  const open = base.ahead.filter((key) => chain.includes(key) || state.facts.changes[key]?.status === 'open');
  const waiting = chain.filter((key) => base.ahead.includes(key) || state.facts.changes[key]?.status !== 'merged');
  assert.deepEqual(open, waiting, `${item.changes.join()} is built on a state that cannot be`);
}

function checkSemaphores(state: GateState): void {
  const held = new Map<string, number>();
  for (const { buildSet } of state.queues.flatMap((queue) => queue.items)) {
    if (!buildSet.builds) continue;
    const current = currentBuilds(buildSet.builds);
    for (const job of buildSet.builds.graph.jobs) {
      const build = current.get(job.key);
      if (build?.result !== null || build.startTime === null) continue;
      for (const { name } of job.semaphores) held.set(name, (held.get(name) ?? 0) + 1);
    }
  }
  for (const [name, count] of held) assert.ok(count <= 2, `${count} builds hold the semaphore ${name}`);
}

function itemIn(queue: Queue, id: string | null): Item | undefined {
  return queue.items.find((item) => item.id === id);
}

function itemOf(state: GateState, id: string): Item | undefined {
  return state.queues.flatMap((queue) => queue.items).find((item) => item.id === id);
}
