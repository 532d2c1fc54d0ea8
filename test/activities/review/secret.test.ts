import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSecret } from '../../../activities/review/secret.ts';

test('a secret is read from a file, the environment or what systemd hands over, and never shown', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-secret-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'token');
  await writeFile(file, 'opensesame\n');
  await writeFile(join(directory, 'empty'), '\n');
  process.env.SLUICE_TEST_SECRET = 'opensesame';
  process.env.CREDENTIALS_DIRECTORY = directory;
  t.after(() => {
    delete process.env.SLUICE_TEST_SECRET;
    delete process.env.CREDENTIALS_DIRECTORY;
  });
  for (const reference of [{ file }, { env: 'SLUICE_TEST_SECRET' }, { credential: 'token' }])
    assert.equal(await readSecret(reference), 'opensesame');
  await assert.rejects(readSecret({ file: join(directory, 'none') }), /none: ENOENT: no such file or directory$/);
  await assert.rejects(readSecret({ file: join(directory, 'empty') }), /expected in .*empty, and there is none$/);
  await writeFile(join(directory, 'chatty'), 'You have been warned.\nopensesame\n');
  await assert.rejects(readSecret({ file: join(directory, 'chatty') }), (error: Error) => {
    assert.match(error.message, /^there is more than one line in .*chatty: /);
    assert.doesNotMatch(error.message, /opensesame/);
    return true;
  });
  const armoured = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----';
  await writeFile(join(directory, 'key'), `${armoured}\n\n`);
  assert.equal(await readSecret({ file: join(directory, 'key') }), armoured);
  await assert.rejects(readSecret({ env: 'SLUICE_TEST_NONE' }), /environment variable SLUICE_TEST_NONE/);
  delete process.env.CREDENTIALS_DIRECTORY;
  await assert.rejects(readSecret({ credential: 'token' }), /LoadCredential=/);
});
