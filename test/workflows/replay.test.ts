import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../infra/temporal/bundle.ts';
import * as workflows from '../../workflows/index.ts';
import { readHistories } from './histories.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const histories = await readHistories();
const workflowBundle = await bundleWorkflows();
const replayed = new Map<string, Error | undefined>();
for await (const { workflowId, runId, error } of Worker.runReplayHistories({ workflowBundle }, histories)) {
  const key = `${workflowId} ${runId}`;
  // A run that was reset has the first one's id in its history.
  replayed.set(key, replayed.get(key) ?? error);
}

test('there are histories of every workflow', () => {
  const types = histories.map(({ history }) => {
    return history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? '';
  });
  assert.deepEqual([...new Set(types)].sort(), Object.keys(workflows).sort());
});

for (const { name, workflowId, history } of histories) {
  test(`${name} replays: an execution that was open then goes on now`, () => {
    const run = history.events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId ?? '';
    const key = `${workflowId} ${run}`;
    assert.ok(replayed.has(key), `${key} was not replayed`);
    assert.equal(replayed.get(key), undefined);
  });
}
