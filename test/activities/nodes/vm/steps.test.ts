import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TestStep } from '../../../../activities/nodes/port.ts';
import { openDebug } from '../../../../activities/nodes/vm/debug.ts';
import type { Hardware } from '../../../../activities/nodes/vm/host.ts';
import type { Running } from '../../../../activities/nodes/vm/lend.ts';
import { placesIn, writeRecord } from '../../../../activities/nodes/vm/records.ts';
import { Steps } from '../../../../activities/nodes/vm/steps.ts';

const signal = AbortSignal.timeout(600_000);
const hardware: Hardware = { accelerator: 'tcg', machine: 'pc-q35-7.2', emulator: '7.2' };

async function scene(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'sluice-steps-'));
  t.after(() => rm(root, { recursive: true }));
  return placesIn(root);
}

for (const [what, of, says] of [
  [
    'that was not saved',
    { step: { number: 4, name: 'pair: d' }, steps: [{ number: 1, name: 'pair: a' }] },
    /nothing is kept of step 3 of the build b1; there are: 1 \(pair: a\), 4 \(pair: d\); with `snapshots: each-step`/,
  ],
  ['of a test without any', {}, /nothing is kept of step 3 of the build b1; the test had no steps; /],
] as const) {
  test(`I10: a step ${what} is refused before anything is restored, with those that there are`, async (t) => {
    const places = await scene(t);
    const directory = join(places.kept, 'b1');
    await mkdir(directory, { recursive: true });
    await writeRecord({ host: places.host, directory }, 'kept.json', {
      build: 'b1',
      installation: null,
      time: 1,
      machines: [],
      ...of,
    });
    const lender = { places, installation: null, ways: [] };
    const wish = { build: 'b1', step: 3, holder: 'debug/x', hardware, signal };
    await assert.rejects(openDebug(lender, wish), says);
  });
}

test('I10: steps take half of what may be kept at most, and the test goes on without those that are too many', async (t) => {
  const places = await scene(t);
  const directory = join(places.machines, 'm');
  await mkdir(join(directory, 'steps'), { recursive: true });
  await writeFile(join(directory, 'steps', 'memory'), Buffer.alloc(1024 * 1024, 1));
  const running = [{ host: places.host, directory } as Running];
  const steps = new Steps(places, { age: 1, bytes: 1024 * 1024 });
  const step = (number: number): TestStep & { save: boolean } => ({ number, name: `step ${number}`, save: true });
  await steps.begin(running, step(1));
  await assert.rejects(steps.begin(running, step(2)), /take half of all that may be kept: `snapshots\.maxSize`/);
  assert.deepEqual(steps.reached, { step: { number: 2, name: 'step 2' }, steps: [] });
});
