import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { holderOf } from '../../server/test-service/token.ts';
import { temporary } from '../activities/repository/packages.ts';
import { execute } from './run.ts';

const secret = '0123456789abcdef'.repeat(4);

async function installation(t: TestContext, yaml = 'tests: {secret: {file: jwt}}\n', text = secret) {
  const directory = await temporary(t);
  await writeFile(join(directory, 'sluice.yaml'), yaml);
  await writeFile(join(directory, 'jwt'), `${text}\n`);
  return (...words: string[]) =>
    execute<{ email: string; token: string; expires: string }>(['token', 'create', ...words], directory);
}

test('A-040: a token is made that the test service takes, for as long as it is good', async (t) => {
  const create = await installation(t);
  const { status, stdout } = create('--email', 'ann@example.org');
  assert.equal(status, 0);
  assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.deepEqual(await holderOf(stdout.trim(), secret), { email: 'ann@example.org', role: 'tester' });
  assert.equal(await holderOf(stdout.trim(), `${secret}x`), undefined);
  const { json } = create('--email', 'ann@example.org', '--role', 'observer', '--ttl', '2h', '--json');
  assert.deepEqual(await holderOf(json.token, secret), { email: 'ann@example.org', role: 'observer' });
  const left = (Date.parse(json.expires) - Date.now()) / 1000;
  assert.ok(left > 7_000 && left <= 7_200, String(left));
  const { exp, iat } = JSON.parse(String(Buffer.from(json.token.split('.')[1] ?? '', 'base64url')));
  assert.equal(exp - iat, 7_200);
});

const wrong: readonly (readonly [words: readonly string[], status: number, said: RegExp])[] = [
  [[], 2, /--email/],
  [['--email', 'ann'], 2, /Give an address such as/],
  [['--email', 'a@b', '--ttl', 'soon'], 2, /Give a minute to ten years/],
  [['--email', 'a@b', '--role', 'king'], 2, /Allowed choices are tester, observer/],
  [['--email', 'a@b', '--ttl', '0'], 2, /Give a minute to ten years/],
];
for (const [words, status, said] of wrong) {
  test(`A-040: token create ${words.join(' ')} is bad usage`, async (t) => {
    const ended = (await installation(t))(...words);
    assert.equal(ended.status, status);
    assert.match(ended.stderr, said);
  });
}

test('A-040: where no token can be made, it is said why, without the secret', async (t) => {
  const none = (await installation(t, '# nothing\n'))('--email', 'a@b');
  assert.deepEqual([none.status, none.stdout], [2, '']);
  assert.match(none.stderr, /there is no test service: tests\.secret is not in sluice\.yaml/);
  const short = (await installation(t, undefined, 'tooshort'))('--email', 'a@b');
  assert.equal(short.status, 1);
  assert.match(short.stderr, /less than 32 characters/);
  assert.ok(!short.stderr.includes('tooshort'));
});
