import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { decryptText } from '../../activities/secrets/oaep.ts';
import { parseConfigFile } from '../../pipelines/language/language.ts';
import { privateKey } from '../activities/secrets/vector.ts';
import { startServer, type TestServer } from '../server/server.ts';
import { runAt } from './run.ts';

const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();

let server: TestServer;
before(async () => {
  const publicKey = async (tenant: string, project: string) =>
    tenant === 'main' && project === 'org/app' ? pem : undefined;
  const open = () => Promise.reject(new Error('nobody asks for plain text here'));
  server = await startServer({ secrets: { token: 'worker', publicKey, open } });
  await writeFile(join(server.data, 'sluice.yaml'), 'data: .\ntenant: main\n');
});
after(() => server.stop());

/** Runs `sluice secret encrypt` for `org/app` with something on its standard input. */
const encrypt = (args: readonly string[], input: string | Uint8Array = '') =>
  runAt(server, ['secret', 'encrypt', '--project', 'org/app', ...args], { input });

/** The values of the one secret in a configuration file, opened. */
function opened(yaml: string): { readonly name: string; readonly values: Record<string, string> } {
  const source = { project: 'org/app', branch: 'main', path: '.zuul.yaml', text: yaml, trusted: false };
  const { stanzas, problems } = parseConfigFile({ ...source, connections: {} });
  assert.deepEqual(problems, []);
  const [secret = assert.fail()] = stanzas.secrets;
  const key = createPrivateKey(privateKey);
  const values = Object.entries(secret.data).map(([field, value]) => {
    const { chunks } = value as { readonly chunks: readonly string[] };
    return [field, decryptText(key, chunks)];
  });
  return { name: secret.name, values: Object.fromEntries(values) };
}

const named = ['--secret-name', 'upload', '--field-name', 'password'];

test('a secret from standard input becomes an object for the configuration, without the line’s end', async () => {
  const { stdout, stderr, code } = await encrypt(named, 'hunter22 \n');
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(opened(stdout), { name: 'upload', values: { password: 'hunter22 ' } });
  assert.ok(stdout.split('\n').every((line) => line.length <= 100));
});

test('with --no-strip all of standard input counts', async () => {
  const { stdout } = await encrypt([...named, '--no-strip'], 'hunter22\n');
  assert.equal(opened(stdout).values.password, 'hunter22\n');
});

test('a long file is taken byte by byte, and written to another', async () => {
  const long = `${'ü'.repeat(300)}\r\n`;
  await writeFile(join(server.data, 'plain'), long);
  const { stdout, stderr, code } = await encrypt([...named, '--infile', 'plain', '--outfile', 'out.yaml']);
  assert.deepEqual([code, stdout, stderr], [0, '', 'written to out.yaml\n']);
  assert.equal(opened(await readFile(join(server.data, 'out.yaml'), 'utf8')).values.password, long);
});

test('names that YAML would take for something else are quoted', async () => {
  const { stdout } = await encrypt(['--secret-name', 'a: b', '--field-name', 'yes'], 'hunter22');
  assert.deepEqual(opened(stdout), { name: 'a: b', values: { yes: 'hunter22' } });
});

test('--json has the parts', async () => {
  const { stdout } = await encrypt([...named, '--json'], 'hunter22');
  const { name, field, chunks } = JSON.parse(stdout);
  assert.deepEqual([name, field], ['upload', 'password']);
  assert.equal(decryptText(createPrivateKey(privateKey), chunks), 'hunter22');
});

for (const [what, args, input, status, says] of [
  ['nothing', named, '\n', 2, /nothing to encrypt: standard input is empty/],
  ['what is not text', named, Buffer.from([0xff, 0xfe, 0xfd, 0xfc]), 2, /UTF-8/],
  ['a file that is not there', ['--infile', 'no-such'], '', 2, /--infile: no-such cannot be read: ENOENT/],
  ['a project that is not there', ['--project', 'other'], 'hunter22', 1, /tenant main has no project other/],
  ['a tenant that is not there', ['--tenant', 'no'], 'hunter22', 1, /tenant no has no project org\/app/],
] as const) {
  test(`${what} is refused, and the plain text never shown`, async () => {
    const { stdout, stderr, code } = await encrypt(args, input);
    assert.deepEqual([code, stdout], [status, '']);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /hunter22/);
  });
}
