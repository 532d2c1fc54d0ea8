import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeId, parseRequestName } from '../../../../activities/review/gitlab/names.ts';

const site = { connection: 'lab', url: 'https://git.example.org/lab' };
const long = 'a/'.repeat(1_500);

const table: readonly (readonly [text: string, id: string | null])[] = [
  ['acme/alpha!17', 'lab:acme/alpha!17'],
  ['lab:acme/tools/sub/alpha!17', 'lab:acme/tools/sub/alpha!17'],
  ['https://git.example.org/lab/acme/alpha/-/merge_requests/17', 'lab:acme/alpha!17'],
  ['http://GIT.example.org/lab/acme/tools/alpha/-/merge_requests/17/diffs?view=x#note_1', 'lab:acme/tools/alpha!17'],
  ['https://git.example.org/lab/acme/alpha/merge_requests/17', 'lab:acme/alpha!17'],
  ['https://git.example.org/lab/acme/alpha/-/merge_requests/17.diff', 'lab:acme/alpha!17'],
  ['https://git.example.org/acme/alpha/-/merge_requests/17', null],
  ['https://git.example.org/labs/acme/alpha/-/merge_requests/17', null],
  ['https://git.example.org.evil.example/lab/acme/alpha/-/merge_requests/17', null],
  ['https://git.example.org/lab/acme/alpha/-/issues/17', null],
  ['https://git.example.org/lab/acme/../x/-/merge_requests/17', null],
  ['acme/alpha#17', null],
  ['other:acme/alpha!17', null],
  ['alpha!17', null],
  ['acme/alpha!0', null],
  ['acme/alpha!17x', null],
  ['acme/../alpha!17', null],
  ['acme/a\nb!17', null],
  ['acme/alpha.git!17', null],
  [`${long}x!1`, null],
  [`https://git.example.org/lab/${long}/-/merge_requests/1`, null],
  ['', null],
];

for (const [text, id] of table) {
  test(`${JSON.stringify(text.slice(0, 90))} ${id === null ? 'is no merge request there' : `names ${id}`}`, () => {
    const name = parseRequestName(text, site);
    assert.equal(name === null ? null : changeId('lab', name), id);
  });
}
