import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createProjectKeys } from '../../../activities/secrets/keys.ts';
import { encryptText } from '../../../activities/secrets/oaep.ts';
import { temporary } from '../repository/packages.ts';
import { encrypted, plain, privateKey } from './vector.ts';

test('a project’s key is made once, for its owner alone, and opens what its public half closed', async (t) => {
  const directory = join(await temporary(t), 'secret-keys');
  const [one, two] = [createProjectKeys(directory), createProjectKeys(directory)];
  // Two processes that come first at the same time agree.
  const [key, same] = await Promise.all([one.publicKey('org/app'), two.publicKey('org/app')]);
  assert.equal(key, same);
  assert.match(key, /^-----BEGIN PUBLIC KEY-----/);
  assert.deepEqual(await readdir(directory), ['org%2Fapp.pem']);
  const modes = await Promise.all([directory, join(directory, 'org%2Fapp.pem')].map((path) => stat(path)));
  assert.deepEqual(
    modes.map(({ mode }) => mode & 0o777),
    [0o700, 0o600],
  );
  const long = `${'é'.repeat(700)}\nend\n`;
  const chunks = encryptText(key, Buffer.from(long));
  assert.equal(chunks.length, 3);
  assert.ok(chunks.every((chunk) => Buffer.from(chunk, 'base64').length === 512));
  assert.equal(await createProjectKeys(directory).decrypt('org/app', chunks), long);
});

test('a directory that others may enter is closed to them', async (t) => {
  const directory = join(await temporary(t), 'keys');
  await mkdir(directory, { mode: 0o755 });
  await chmod(directory, 0o755);
  await writeFile(join(directory, 'app.pem'), privateKey);
  await createProjectKeys(directory).publicKey('app');
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
});

test('a key from elsewhere is used as it is, and reads what OpenSSL encrypted', async (t) => {
  const directory = await temporary(t);
  await writeFile(join(directory, 'app.pem'), privateKey);
  const keys = createProjectKeys(directory);
  assert.equal(await keys.decrypt('app', [encrypted]), plain);
  // Written over several lines, as configurations have it.
  assert.equal(await keys.decrypt('app', [encrypted.replace(/(.{76})/g, '$1\n  ')]), plain);
});

test('each part is text for itself, though characters have several bytes', async (t) => {
  const directory = await temporary(t);
  await writeFile(join(directory, 'app.pem'), privateKey);
  const keys = createProjectKeys(directory);
  const text = `a${'𝄞'.repeat(200)}`;
  const chunks = encryptText(await keys.publicKey('app'), Buffer.from(text));
  const parts = await Promise.all(chunks.map((chunk) => keys.decrypt('app', [chunk])));
  assert.equal(parts.join(''), text);
  assert.ok(parts.length > 3);
});

test('another project’s key opens nothing, and the error has nothing of the content', async (t) => {
  const directory = await temporary(t);
  await writeFile(join(directory, 'app.pem'), privateKey);
  const keys = createProjectKeys(directory);
  const foreign = encryptText(await keys.publicKey('other'), Buffer.from('canary'));
  await assert.rejects(keys.decrypt('app', foreign), /^Error: a value is not encrypted with the key of app/);
});

test('what is not a key is named with its file', async (t) => {
  const directory = await temporary(t);
  await writeFile(join(directory, 'app.pem'), 'nonsense');
  await assert.rejects(createProjectKeys(directory).publicKey('app'), /app\.pem is not a private key in PEM/);
});

test('nothing and what is not text are not encrypted', async (t) => {
  const key = await createProjectKeys(await temporary(t)).publicKey('app');
  assert.throws(() => encryptText(key, Buffer.alloc(0)), /the secret is empty/);
  assert.throws(() => encryptText(key, Buffer.from([0xff, 0xfe])), /UTF-8/);
});
