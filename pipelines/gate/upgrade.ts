import type { FirstGateMemory, GateMemory, StartedBuildSet } from './memory.ts';

/** Turns what any earlier version of a gate left into what today's goes on from. */
export function upgradeMemory(memory: FirstGateMemory | GateMemory): GateMemory {
  if (memory.version === 2) return memory;
  const { state, handled, graphs, buildSets, sequence } = memory;
  // Build sets were named by the gate's own keys alone.
  const started = ([key, { workflow, told }]: [string, { workflow: string; told: string }]): [
    string,
    StartedBuildSet,
  ] => [key, { workflow, key, started: true, told, retriggers: [] }];
  return {
    version: 2,
    state: { ...state, undelivered: [] },
    handled: handled.map((id) => ({ id })),
    graphs,
    buildSets: Object.fromEntries(Object.entries(buildSets).map(started)),
    closing: [],
    tokens: {},
    troubles: {},
    sequence,
  };
}
