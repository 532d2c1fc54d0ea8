import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseAccelerator, works } from '../../../../activities/nodes/vm/accelerator.ts';
import { localHost } from '../../../../activities/nodes/vm/hosts/local/host.ts';

test('translation works everywhere, and a machine that does not end in time is none', async () => {
  assert.equal(await works(localHost, 'tcg', 120_000), true);
  assert.equal(await works(localHost, 'tcg', 1), false);
});

test('KVM is chosen where a machine runs by it', async () => {
  const asked: string[] = [];
  const answering = (answer: boolean) => async (accelerator: string) => {
    asked.push(accelerator);
    return answer;
  };
  assert.equal(await chooseAccelerator(answering(true)), 'kvm');
  assert.equal(await chooseAccelerator(answering(false)), 'tcg');
  assert.deepEqual(asked, ['kvm', 'kvm']);
});
