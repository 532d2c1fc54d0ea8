import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Provider } from '../../../activities/nodes/port.ts';
import { createReadyActivities } from '../../../activities/nodes/ready.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';

test('why a node cannot be made for nobody yet is an answer, which a log has once', async () => {
  const makeReady = async () => {
    throw new Error('nothing is prepared: sluice vm prepare vm');
  };
  const activities = createReadyActivities({
    provider: { makeReady } as unknown as Provider,
    platforms: builtInPlatforms,
  });
  const ask = (label: string) => activities.makeReady({ provider: 'vm', id: 'ready-1', label, holder: 'nodes/vm' });
  assert.deepEqual(await ask('debian-12'), { failed: 'nothing is prepared: sluice vm prepare vm' });
  assert.deepEqual(await ask('gone'), { failed: 'this worker knows no platform gone: start it again' });
});
