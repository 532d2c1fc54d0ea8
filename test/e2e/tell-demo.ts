import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { run } from '../../activities/process/run.ts';
import type { DemoStep } from '../../demo/narrator.ts';

const main = new URL('../../cli/main.ts', import.meta.url).pathname;

const steps = [
  ...['up', 'projects', 'baseline', 'good', 'no-build', 'no-lint', 'no-run', 'intruder', 'gate', 'mirrors'],
  ...['install-deb', 'install-rpm', 'retrigger'],
];

/** Runs the demo, and wants every step of it to be as told, `more` after those that it always has. */
export async function tellDemo(t: TestContext, nodes: 'docker' | 'vm', more: readonly string[] = []): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  const config = join(root, 'demo/sluice.yaml');
  let ended = false;
  t.after(async () => {
    // One that was cut off has left all that it had started.
    if (!ended) await run(process.execPath, [main, 'down', '--purge', '--config', config]).catch(() => {});
    await rm(root, { recursive: true, force: true });
  });
  const args = [main, 'demo', '--json', '--nodes', nodes, '--dir', join(root, 'demo')];
  const { code, stdout, stderr } = await run(process.execPath, args, { signal: t.signal });
  ended = true;
  const told = JSON.parse(stdout) as { readonly steps: readonly DemoStep[]; readonly ok: boolean };
  const failed = told.steps.filter(({ ok }) => !ok);
  assert.deepEqual(failed, [], stderr.slice(-4000));
  assert.deepEqual([code, told.ok, told.steps.map(({ id }) => id)], [0, true, [...steps, ...more]]);
}
