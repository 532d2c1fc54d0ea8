import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { requireTestSecret } from '../../../infra/compose/test-secret.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { temporary } from '../../activities/repository/packages.ts';

test('A-040: a secret of the test service that is no good is said at its place in the file, and never shown', async (t) => {
  const directory = await temporary(t);
  await writeFile(join(directory, 'sluice.yaml'), 'data: d\ntests:\n  secret: { file: jwt }\n');
  const check = () => requireTestSecret(loadConfig({ directory }));
  await assert.rejects(
    check(),
    /sluice\.yaml:3:\d+: tests\.secret: a secret cannot be read from .*jwt: ENOENT: no such file or directory$/,
  );
  await writeFile(join(directory, 'jwt'), 'too-short\n');
  await assert.rejects(check(), (error: Error) => {
    assert.equal(error.name, 'InvalidConfiguration');
    assert.match(error.message, /sluice\.yaml:3:\d+: tests\.secret: .*less than 32 characters: openssl rand -hex 32/);
    return !error.message.includes('too-short');
  });
  await writeFile(join(directory, 'jwt'), `${'s'.repeat(32)}\n`);
  await check();
});
