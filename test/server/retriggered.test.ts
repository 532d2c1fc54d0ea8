import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GateAnswer } from '../../pipelines/gate/command.ts';
import type { Actor } from '../../pipelines/model/actor.ts';
import { createOperations, type OperationsDeps } from '../../server/operations.ts';
import { aBuild, aJob, anItem, aQueue } from './records.ts';

const ada: Actor = { name: 'ada', kind: 'person', via: 'token' };

/** Operations on one queue, which answers as it is told; the workflows that are started are written down. */
function operations(answer: GateAnswer, item: Parameters<typeof anItem>[0]) {
  const started: string[] = [];
  const start = async (_type: string, { workflowId }: { readonly workflowId: string }) => void started.push(workflowId);
  const build = aBuild({
    change: 'I2',
    buildSet: 'gate-2.1',
    workflow: 'job/main/gate/tinycdb/I2,1/gate-2.1/deb-build/1',
  });
  const { retrigger } = createOperations({
    client: { workflow: { start } } as unknown as OperationsDeps['client'],
    gates: { ask: async () => answer },
    store: {
      listQueues: async () => [aQueue({ items: [anItem(item)] })],
      listBuilds: async ({ change }) => (change === 'I2' ? [build] : []),
      findBuild: async () => undefined,
    },
    enqueue: async () => answer,
    inputOf: async () => ({}),
    pipelines: async () => ['gate'],
    tellTakenOut: async () => {},
    mend: async () => {},
  });
  return { started, retrigger };
}

const job = 'deb-build';
const jobs = [aJob({ name: job })];

test('the build set in which a job runs again is named: that of the queue, or that of the last run', async () => {
  const { started, retrigger } = operations({ ok: true }, { jobs, buildSet: 'gate-1.1' });
  assert.deepEqual(await retrigger(ada, { change: 'I1', job }), { ok: true, buildSet: 'gate-1.1' });
  assert.deepEqual(started, []);
  assert.deepEqual(await retrigger(ada, { change: 'I2', job }), { ok: true, alone: true, buildSet: 'gate-2.1' });
  assert.deepEqual(started, ['job/main/gate/tinycdb/I2,1/gate-2.1/deb-build/2']);
});

test('none is named where there is none yet, or the gate refuses', async () => {
  const none = operations({ ok: true }, { jobs, buildSet: null });
  assert.deepEqual(await none.retrigger(ada, { change: 'I1', job }), { ok: true });
  const refusing = operations({ ok: false, reason: 'it runs' }, { jobs, buildSet: 'gate-1.1' });
  assert.deepEqual(await refusing.retrigger(ada, { change: 'I1', job }), { ok: false, reason: 'it runs' });
});
