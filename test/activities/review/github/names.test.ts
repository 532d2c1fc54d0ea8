import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePullName } from '../../../../activities/review/github/names.ts';

const place = { connection: 'hub', url: 'https://hub.example.org/github' };
const seven = { project: 'acme/alpha', number: 7 };

const rows: readonly (readonly [name: string, expected: unknown])[] = [
  ['acme/alpha#7', seven],
  ['hub:acme/alpha#7', seven],
  ['https://hub.example.org/github/acme/alpha/pull/7', seven],
  ['https://hub.example.org/github/acme/alpha/pull/7/', seven],
  ['https://hub.example.org/github/acme/alpha/pull/7/files?diff=split#r1', seven],
  ['https://hub.example.org/github/acme/alpha/issues/7#issuecomment-1', seven],
  ['<https://hub.example.org/github/acme/alpha/pull/7>', seven],
  [`acme/alpha@${'a'.repeat(40)}`, { project: 'acme/alpha', head: 'a'.repeat(40) }],
  ['https://other.example.org/github/acme/alpha/pull/7', null],
  ['https://hub.example.org/acme/alpha/pull/7', null],
  ['https://hub.example.org/github/acme/alpha/pull/seven', null],
  ['https://hub.example.org/github/acme/alpha', null],
  ['other:acme/alpha#7', null],
  ['acme/alpha#0', null],
  ['acme/alpha#7.5', null],
  ['acme/alpha#99999999999999999999', null],
  ['acme/alpha/beta#7', null],
  ['../alpha#7', null],
  ['acme/..#7', null],
  ['acme/alpha@abc', null],
  ['acme/alpha\n#7', null],
  ['#7', null],
  ['7', null],
  ['', null],
  ['x'.repeat(10_000_000), null],
];

for (const [name, expected] of rows) {
  test(`the name ${JSON.stringify(name.slice(0, 80))}`, () => assert.deepEqual(parsePullName(name, place), expected));
}

test('a bare number is of the repository that it is said in', () => {
  assert.deepEqual(parsePullName('#7', place, 'acme/alpha'), seven);
});
