import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputsOf } from '../../web/inputs.ts';

const digest = `sha256:${'1'.repeat(64)}`;
const artifact = (metadata: Record<string, unknown>) => ({ artifacts: [{ name: 'packages', url: '', metadata }] });

test('W17: the page and the command line show the digest of the inputs, and whose build was reused', () => {
  assert.equal(inputsOf({ artifacts: [] }), undefined);
  assert.equal(inputsOf(artifact({ type: 'log', inputs: digest })), undefined);
  assert.equal(inputsOf(artifact({ type: 'packages' })), undefined, 'a build of an earlier version');
  assert.deepEqual(inputsOf(artifact({ type: 'packages', inputs: digest })), { digest });
  const reused = { build: 'build-deb-1', pipeline: 'check', change: 'git:4', patchset: 1 };
  assert.deepEqual(inputsOf(artifact({ type: 'packages', inputs: digest, reused })), { digest, madeBy: 'build-deb-1' });
});
