import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease, Provider } from '../../../activities/nodes/port.ts';
import { withLease } from '../../../activities/nodes/with-lease.ts';

const fails: Provider['release'] = () => Promise.reject(new Error('the engine is away'));
const passed = { result: 'SUCCESS', summary: 'so it went' };

async function ended(work: () => Promise<object>, release: Provider['release'], heard = true) {
  const told: string[] = [];
  const provider = { lend: async () => ({}) as Lease, release } as unknown as Provider;
  const waiting = { signal: AbortSignal.timeout(60_000), tell: (line: string) => void told.push(line) };
  const lent = withLease(provider, { build: 'b1', ...(heard && { waiting }) }, work);
  return { outcome: await lent.catch((error: Error) => error.message), told };
}

test('I10: a verdict stands where machines cannot be removed, which is told and left to the sweep', async () => {
  assert.deepEqual(await ended(async () => passed, fails), {
    outcome: { ...passed, left: true },
    told: ["not all of the job's machines are removed yet: the engine is away"],
  });
  assert.deepEqual(
    await ended(
      async () => passed,
      async () => {},
    ),
    { outcome: passed, told: [] },
  );
});

test('I10: what kept the work from its end is told before what keeps its machines', async () => {
  const lost = () => Promise.reject(new Error('the machine was killed'));
  for (const heard of [true, false]) assert.equal((await ended(lost, fails, heard)).outcome, 'the machine was killed');
});

test('I10: where nobody hears that machines stay, that is an error', async () => {
  assert.equal((await ended(async () => passed, fails, false)).outcome, 'the engine is away');
});

test('I10: what is held, or pauses, is not given back', async () => {
  for (const kept of [{ held: {} }, { paused: {} }]) {
    assert.deepEqual((await ended(async () => kept, fails)).outcome, kept);
  }
});
