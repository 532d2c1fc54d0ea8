import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdFailed } from '../../../activities/nodes/hold-failed.ts';
import { keepFailed } from '../../../activities/nodes/keep-failed.ts';
import type { Lease, Provider } from '../../../activities/nodes/port.ts';
import { withLease } from '../../../activities/nodes/with-lease.ts';
import type { BuildLog } from '../../../activities/ports.ts';
import type { BuildResult } from '../../../pipelines/model/job.ts';
import type { HoldGrant, StageResult } from '../../../workflows/contract.ts';

const grant: HoldGrant = { id: 'h1', seconds: 3600, reason: '' };
const node = { name: 'server', command: 'docker exec -it abc sh' };

interface Case {
  readonly result: BuildResult;
  readonly grant?: HoldGrant | null;
  readonly scrub?: () => Promise<void>;
  readonly nodes?: readonly (typeof node)[];
}

async function ended({ result, grant: given = grant, scrub, nodes = [node] }: Case) {
  const done: string[] = [];
  const log = { section: (title: string) => void done.push(title), write: () => {} } as unknown as BuildLog;
  const provider: Provider = {
    lend: async () => ({}) as Lease,
    async hold() {
      done.push('hold');
      return nodes;
    },
    async keep() {
      done.push('keep');
      return null;
    },
    release: async () => void done.push('release'),
    sweep: async () => {},
    list: async () => [],
  };
  const holding = {
    async claim() {
      done.push('claim');
      return given;
    },
    giveBack: async () => void done.push('give back'),
    scrub: scrub ?? (async () => void done.push('scrub')),
  };
  const verdict = async (): Promise<StageResult> => ({ result, summary: 'so it went', artifacts: [] });
  const failing = (lease: Lease) => ({ build: 'b1', lease, log, host: 'here', queue: 'host-here' });
  const held = (lease: Lease) => holdFailed({ provider, holding }, failing(lease), verdict);
  const work = (lease: Lease) => keepFailed(provider, { build: 'b1', lease, log }, held);
  return { outcome: await withLease(provider, { build: 'b1' }, work), done };
}

for (const result of ['FAILURE', 'POST_FAILURE', 'TIMED_OUT'] as const) {
  test(`I10: nodes of a job that ends as ${result} are scrubbed and held, and neither saved nor given back`, async () => {
    const { outcome, done } = await ended({ result });
    const { hold, queue, held } = outcome.held ?? assert.fail('nothing is held');
    assert.deepEqual([hold, queue, held.build, held.host, held.nodes], ['h1', 'host-here', 'b1', 'here', [node]]);
    assert.equal((held.until ?? 0) - held.time, 3_600_000);
    const said = `The node is held as at the failure until ${new Date(held.until ?? 0).toISOString().slice(0, 16)}Z: sluice hold list, build b1`;
    assert.deepEqual(outcome.remarks, [said]);
    assert.deepEqual(done, ['claim', 'scrub', 'hold', said]);
  });
}

const fails = () => Promise.reject(new Error('the engine is away'));
const cases: readonly [string, Case, readonly string[]][] = [
  ['of a job that did not fail', { result: 'SUCCESS' }, ['release']],
  ['of a job that nobody wants any more', { result: 'CANCELED' }, ['release']],
  ['of a job that printed a secret', { result: 'SECRET_EXPOSURE' }, ['release']],
  ['that nobody has asked for', { result: 'FAILURE', grant: null }, ['claim', 'keep', 'release']],
  [
    'that may have secrets',
    { result: 'FAILURE', scrub: fails },
    ['claim', 'The nodes are not held: the engine is away', 'give back', 'keep', 'release'],
  ],
  [
    'of a job that had none',
    { result: 'FAILURE', nodes: [] },
    ['claim', 'scrub', 'hold', 'The nodes are not held: it had none when it ended', 'give back', 'keep', 'release'],
  ],
];

for (const [what, given, expected] of cases) {
  test(`I10: nodes ${what} are not held, and the verdict stands`, async () => {
    const { outcome, done } = await ended(given);
    assert.deepEqual(outcome, { result: given.result, summary: 'so it went', artifacts: [] });
    assert.deepEqual(done, expected);
  });
}

test('I10: what is held until its hold is deleted says so', async () => {
  const { outcome } = await ended({ result: 'FAILURE', grant: { ...grant, seconds: null } });
  assert.equal(outcome.held?.held.until, null);
  assert.match(outcome.remarks?.[0] ?? '', /until the hold is deleted/);
});
