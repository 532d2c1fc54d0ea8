import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Item } from '../../pipelines/gate/state.ts';
import { initialGate } from '../../pipelines/gate/state.ts';
import type { GateBook } from '../../workflows/gate-book.ts';
import { snapshot } from '../../workflows/gate-snapshot.ts';

const buildSet = { key: '1.1', number: 1, base: { ahead: [], buildSet: null }, builds: null, warnings: [] };
const item = {
  ...{ id: '1', pipeline: 'gate', queue: 'q', changes: [], live: true, ahead: null, trigger: '', enqueued: 1 },
  ...{ quiet: false, active: true, reportedEnqueue: true, reportedStart: true, phase: 'queued' as const },
};

for (const [says, kind, message, reason] of [
  ['a conflict', 'conflict', 'git:5: conflicts in src/a.c', 'git:5: conflicts in src/a.c'],
  ['a configuration error', 'config-error', 'zuul.yaml:3:1: no job x\nmore', 'zuul.yaml:3:1: no job x'],
] as const) {
  test(`F3: a queue shows of ${says} what and where it is, on one line`, () => {
    const failing = ['it has a merge conflict'];
    const held: Item = { ...item, failing, buildSet: { ...buildSet, trouble: { kind, message } } };
    const queue = { id: 'q', pipeline: 'gate', name: 'q', lasting: true, window: 20, items: [held] };
    const state = { ...initialGate(), queues: [queue] };
    const book = { state, sequence: 1, buildSets: {}, troubles: {}, wanted: () => [] } as unknown as GateBook;
    const shown = snapshot({ tenant: 't', pipeline: 'gate', queue: 'q' }, book, 2);
    assert.deepEqual(
      shown.items.map((one) => one.reason),
      [reason],
    );
  });
}
