import type { GateCommand } from '../../pipelines/gate/command.ts';
import { handle } from '../../pipelines/gate/handle.ts';
import { pending } from '../../pipelines/gate/pending.ts';
import type { GateState } from '../../pipelines/gate/state.ts';
import { change, gateOf, itemOf } from './gate-of.ts';
import { runWeek, weekOf } from './week.ts';

const rounds = 400;

interface Measured {
  readonly items: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
  readonly mean: number;
}

/** One decision and the actions that are then wanted, for each kind of news that a busy gate gets. */
function decisions(items: number): Measured {
  const state = gateOf(items);
  pending(state);
  for (let round = 0; round < 100; round += 1) decide(state, command(state, round, items));
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const next = command(state, round, items);
    const before = performance.now();
    decide(state, next);
    times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { items, median: at(0.5), p99: at(0.99), mean: times.reduce((sum, time) => sum + time, 0) / times.length };
}

function decide(state: GateState, next: GateCommand): number {
  return pending(handle(state, next).state).length;
}

/** News of a change anywhere in the queue: jobs that start and end, a vote, a failure in the middle, a new change. */
function command(state: GateState, round: number, items: number): GateCommand {
  const item = String(1 + ((round * 37) % items));
  const buildSet = itemOf(state, item)?.buildSet.key ?? `${item}.1`;
  const time = state.time + round;
  const ended = (result: 'SUCCESS' | 'FAILURE') =>
    ({ type: 'build-ended', time, buildSet, build: 'lint/1', outcome: { result, time } }) as const;
  switch (round % 8) {
    case 0:
      return { type: 'observe', time, changes: [{ ...change(Number(item)), owner: 'another' }] };
    case 1:
      return ended('FAILURE');
    case 2:
      return { type: 'dequeue', time, pipeline: 'gate', change: change(Number(item)).key };
    case 3:
      return { type: 'build-failing', time, buildSet, build: 'build/1' };
    case 4:
      return { type: 'observe', time, changes: [change(items + round)] };
    default:
      return ended('SUCCESS');
  }
}

function week() {
  const scenario = weekOf(1000);
  const before = performance.now();
  const result = runWeek(scenario);
  const seconds = (performance.now() - before) / 1000;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  return {
    changes: scenario.changes.length,
    merged: result.merged.length,
    builds: result.builds.length,
    seconds,
    peakMiB,
  };
}

function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

// The week comes first: the peak of memory is then its own.
const aWeek = week();
const measured = [10, 100, 1000].map(decisions);
const [small, , large] = measured;
const result = {
  decisions: measured,
  growth: large && small ? large.median / small.median / (large.items / small.items) : null,
  week: aWeek,
  targets: { medianMs: 2, p99Ms: 20, growth: 1, weekSeconds: 10, weekMiB: 512 },
};
console.log(JSON.stringify(result, (_key, value) => rounded(value), 2));
