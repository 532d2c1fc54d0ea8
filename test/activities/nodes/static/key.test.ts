import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutOfService } from '../../../../activities/nodes/out-of-service.ts';
import { faultOf } from '../../../../activities/nodes/static/clean.ts';
import { createGivenProvider } from '../../../../activities/nodes/static/provider.ts';
import { unreadableKeys } from '../../../../infra/compose/check-machines.ts';
import { givenMachines } from '../../../../infra/compose/given-machines.ts';
import { parseConfig } from '../../../../infra/config/load.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { temporary } from '../../repository/packages.ts';

const text = `nodes:
  static:
    m1: {labels: [lab], platform: debian-12, host: 127.0.0.1, key: {file: secret/place}, clean: 'true',
         hostKey: "ssh-ed25519 ${'A'.repeat(60)}"}
`;
const config = parseConfig({ path: 'sluice.yaml', text, directory: '/nowhere', env: {} });

test('where a key cannot be read is told to who runs Sluice, not to authors of changes', async (t) => {
  const machines = givenMachines(config.nodes);
  const provider = createGivenProvider({ directory: await temporary(t), installation: 'here', machines });
  const platform: Platform = { ...(builtInPlatforms[0] as Platform), buildImage: 'lab', testImage: 'lab', name: 'lab' };
  const lease = await provider.lend({ build: `test-${process.pid}` });
  await assert.rejects(lease.machine({ name: 'node', platform, kind: 'builder', network: 'open' }), (error: Error) => {
    assert.ok(error instanceof OutOfService);
    assert.match(error.message, /^m1 is out of service: .*the server cannot read its key: ask who runs Sluice/);
    assert.doesNotMatch(error.message, /secret\/place/);
    return true;
  });
  const [machine = assert.fail()] = machines;
  assert.match((await faultOf(machine)) ?? '', /cannot be read from \/nowhere\/secret\/place: ENOENT/);
});

test('`up` names each key that cannot be read', async () => {
  const [line, ...more] = await unreadableKeys(config);
  assert.match(
    line ?? '',
    /^nodes\.static\.m1\.key: .*\/nowhere\/secret\/place: ENOENT: no such file or directory: no job is lent m1$/,
  );
  assert.deepEqual(more, []);
});
