import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Context } from '@temporalio/activity';
import { run } from '../../../activities/process/run.ts';
import { recordTools } from '../../../activities/process/timing.ts';
import { type ToolTimes, toolTimes } from '../../../infra/temporal/tool-times.ts';

const info = { workflowExecution: { workflowId: 'job/one' }, activityType: 'runStage', scheduledTimestampMs: 1 };
const input = { args: [], headers: {} };

test('Writes down what an activity waited for, and inside a recorder of its own too', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'sluice-times-')), 'times.jsonl');
  const [factory] = toolTimes(file);
  const { inbound } = factory?.({ info } as Context) ?? {};
  await inbound?.execute?.(input, async () => recordTools(() => run('true', [])));
  const { workflow, activity, scheduled, runs } = JSON.parse(await readFile(file, 'utf8')) as ToolTimes;
  assert.deepEqual({ workflow, activity, scheduled }, { workflow: 'job/one', activity: 'runStage', scheduled: 1 });
  assert.deepEqual(
    runs.map(({ tool }) => tool),
    ['true'],
  );
});

test('Watches nothing where no file is named', () => {
  assert.deepEqual(toolTimes(undefined), []);
});
