import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handle } from '../../../pipelines/gate/handle.ts';
import type { FirstGateMemory } from '../../../pipelines/gate/memory.ts';
import { pending } from '../../../pipelines/gate/pending.ts';
import { upgradeMemory } from '../../../pipelines/gate/upgrade.ts';
import { readHistories } from '../../workflows/histories.ts';

/** What runs of gates began with, as they were recorded. */
async function recordedMemories(): Promise<readonly FirstGateMemory[]> {
  return (await readHistories()).flatMap(({ history }) => {
    const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    if (started?.workflowType?.name !== 'gate') return [];
    const data = started.input?.payloads?.[0]?.data ?? Buffer.from('{}');
    const { carried } = JSON.parse(Buffer.from(data).toString()) as { carried?: FirstGateMemory };
    return carried?.version === 1 ? [carried] : [];
  });
}

test('what gates of the first version handed on is gone on from', async () => {
  const memories = await recordedMemories();
  assert.ok(memories.length >= 2);
  for (const memory of memories) {
    const { version, state, buildSets, handled } = upgradeMemory(memory);
    assert.equal(version, 2);
    assert.deepEqual(pending(state), pending({ ...memory.state, undelivered: [] }));
    assert.deepEqual(
      handled.map(({ id }) => id),
      memory.handled,
    );
    for (const [key, { workflow, started }] of Object.entries(buildSets)) {
      assert.deepEqual([workflow, started], [memory.buildSets[key]?.workflow, true]);
    }
    const answer = handle(state, { type: 'dequeue', time: state.time, pipeline: 'gate', change: 'nobody' }).answer;
    assert.equal(answer.ok, false);
  }
});

test('what today hands on stays as it is', async () => {
  const [first] = await recordedMemories();
  assert.ok(first);
  const memory = upgradeMemory(first);
  assert.equal(upgradeMemory(memory), memory);
});
