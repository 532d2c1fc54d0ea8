import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openProvider } from '../../../activities/nodes/registry.ts';

test('a driver that there is not is named, and those that there are', () => {
  for (const name of ['kvm', 'constructor', '']) {
    assert.throws(() => openProvider(name), /^Error: there is no node driver ".*"; there are: docker, vm, static$/);
  }
});
