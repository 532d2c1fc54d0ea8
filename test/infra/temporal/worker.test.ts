import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTemporal } from '../../../infra/bootstrap/find.ts';
import { workerPart } from '../../../infra/compose/worker-part.ts';
import { connect } from '../../../infra/temporal/connection.ts';
import { createJobWorkers, createStageWorker } from '../../../infra/temporal/worker.ts';
import { startDevServer } from './dev-server.ts';

test('where one of the workers for all jobs cannot be there, the others hold no queue, and no connection', async (t) => {
  const server = await startDevServer(findTemporal() ?? '', { port: 0 });
  t.after(() => server.stop());
  await server.ready(90_000);
  const temporal = await connect({ address: server.address, namespace: 'default' });
  const deps = { temporal, activities: { runStage: async () => {} }, arch: 'test', slots: 1 };
  const other = await createStageWorker(deps);
  await assert.rejects(createJobWorkers(deps), /task_queue: "build-test"/, 'no process has two of one queue');
  await other.runUntil(Promise.resolve());
  await workerPart(await createJobWorkers(deps)).stop();
  await temporal.close();
});
