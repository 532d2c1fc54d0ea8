import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBase64 } from '../../../pipelines/language/base64.ts';
import { parseConfigFile } from '../../../pipelines/language/language.ts';

/** What Python's `base64.b64decode` makes of a text; undefined where it raises an error. */
const decoded: readonly [text: string, bytes: string | undefined][] = [
  ['aGVsbG8=', 'hello'],
  ['aGVsbG8=`', 'hello'],
  ['`aGVs\nbG8=', 'hello'],
  ['aG-V_sbG8=', 'hello'],
  ['aGVsbG8=aGVsbG8=', 'hello'],
  ['aGVsbG8', undefined],
  ['aGVsb', undefined],
  ['aGVs=', 'hel'],
  ['(no)', undefined],
  ['é', undefined],
];

for (const [text, bytes] of decoded) {
  test(`W21: ${JSON.stringify(text)} is ${bytes ?? 'no base64'}, as for Zuul`, () => {
    const { text: clean } = readBase64(text);
    assert.equal(clean === undefined ? undefined : Buffer.from(clean, 'base64').toString(), bytes);
  });
}

test('W21: a stray character in an encrypted value is passed over, with a warning at its place', () => {
  const text =
    '- secret:\n    name: s\n    data:\n      a: !encrypted/pkcs1-oaep\n        - aGVsbG8=\n        - aGVsbG8=`\n';
  const source = { project: 'p', branch: 'master', path: 'zuul.yaml', trusted: true, text };
  const { stanzas, problems } = parseConfigFile(source);
  assert.equal(stanzas.secrets.length, 1);
  assert.deepEqual(
    problems.map(({ severity, line, column }) => [severity, line, column]),
    [['warning', 6, 11]],
  );
  assert.match(problems[0]?.message ?? '', /holds "`", which is not base64/);
  assert.match(JSON.stringify(stanzas.secrets[0]?.data), /"aGVsbG8=","aGVsbG8="/);
});
