import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../activities/process/run.ts';
import type { DemoStep } from '../../demo/narrator.ts';

const main = new URL('../../cli/main.ts', import.meta.url).pathname;

const steps = [
  ...['up', 'projects', 'baseline', 'good', 'no-build', 'no-lint', 'no-run', 'intruder', 'gate', 'mirrors'],
  ...['install-deb', 'install-rpm', 'retrigger'],
];

test('the demo tells its whole story, and says so to machines', { timeout: 1_800_000 }, async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const { code, stdout, stderr } = await run(process.execPath, [main, 'demo', '--json', '--dir', join(root, 'demo')], {
    signal: t.signal,
  });
  const told = JSON.parse(stdout) as { readonly steps: readonly DemoStep[]; readonly ok: boolean };
  const failed = told.steps.filter(({ ok }) => !ok);
  assert.deepEqual(failed, [], stderr.slice(-4000));
  assert.deepEqual([code, told.ok, told.steps.map(({ id }) => id)], [0, true, steps]);
});
