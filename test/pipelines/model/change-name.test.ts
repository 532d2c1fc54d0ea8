import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesOf } from '../../../pipelines/model/change-name.ts';

const connections = [
  { name: 'git', driver: 'git' },
  { name: 'review', driver: 'gerrit', url: 'https://review.example.org/' },
  { name: 'hub', driver: 'github', url: 'https://github.com' },
  { name: 'lab', driver: 'gitlab', url: 'https://gitlab.example.org' },
  { name: 'tea', driver: 'gitea', url: 'https://gitea.example.org' },
];
const id = `I${'0'.repeat(40)}`;

const cases: readonly [text: string, places: readonly string[]][] = [
  ['5', ['git 5', 'review 5', 'hub 5', 'lab 5', 'tea 5']],
  ['git:5', ['git 5']],
  ['review:1234', ['review 1234']],
  [' git:5 ', ['git 5']],
  ['tinycdb/5', ['git tinycdb/5', 'review tinycdb/5']],
  ['git:tinycdb/5', ['git tinycdb/5']],
  [id, [`git ${id}`, `review ${id}`]],
  ['owner/name#17', ['hub owner/name#17', 'tea owner/name#17']],
  ['hub:owner/name#17', ['hub owner/name#17']],
  ['lab:group/sub/name!17', ['lab group/sub/name!17']],
  ['group/name!17', ['lab group/name!17']],
  ['https://github.com/owner/name/pull/17', ['hub https://github.com/owner/name/pull/17']],
  ['https://review.example.org/c/pkg/+/12', ['review https://review.example.org/c/pkg/+/12']],
  ['http://github.com/owner/name/pull/17', ['hub http://github.com/owner/name/pull/17']],
  ['HTTPS://GitHub.com/Owner/name/pull/17', ['hub HTTPS://GitHub.com/Owner/name/pull/17']],
  ['http://review.example.org/c/pkg/+/12', ['review http://review.example.org/c/pkg/+/12']],
  ['http://github.com.evil/owner/name/pull/17', []],
  ['HTTP://Sluice.example.org/change/git:5', ['git 5']],
  ['https://review.example.org.evil/c/pkg/+/12', []],
  ['http://sluice.example.org/change/git:5', ['git 5']],
  ['http://sluice.example.org/change/git%3A5?x', ['git 5']],
  ['http://sluice.example.org/change/%zz', []],
  ['', []],
];
for (const [text, places] of cases) {
  test(`F1: ${JSON.stringify(text)} may be ${places.join(', ') || 'nowhere'}`, () => {
    assert.deepEqual(
      placesOf(text, connections).map(({ connection, name }) => `${connection} ${name}`),
      places,
    );
  });
}
