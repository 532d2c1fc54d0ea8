import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildRow,
  buildSetRow,
  changeView,
  eventView,
  mirrorView,
  queueView,
  releaseView,
} from '../../server/api/views.ts';
import { change } from '../workflows/make.ts';
import { aBuild, aBuildSet, aMirror, aQueue, aRelease } from './records.ts';

/** Kept, and nobody's business. */
const inside = { canary: 'canary' };

const views: readonly [says: string, record: object, shown: object][] = [
  ['a build', aBuild(), buildRow({ ...aBuild(), ...inside })],
  ['a build set', aBuildSet(), buildSetRow({ ...aBuildSet(), ...inside })],
  ['a queue', aQueue(), queueView({ ...aQueue(), ...inside })],
  ['a release', aRelease(), releaseView({ ...aRelease(), ...inside })],
  ['a mirror transaction', aMirror(), mirrorView({ ...aMirror(), ...inside })],
];
for (const [says, record, shown] of views) {
  test(`${says} is shown with what is named, and nothing else that is kept`, () => assert.deepEqual(shown, record));
}

test('what happens is shown likewise', () => {
  const data = { ...aBuild(), ...inside };
  assert.deepEqual(eventView({ type: 'build', data }), { type: 'build', data: aBuild() });
});

test('a change is shown without the addresses of its voters', () => {
  const vote = { label: 'Approved', value: 1, by: 'ada', time: 1 };
  const shown = changeView(change('git:1', { votes: [{ ...vote, email: 'ada@example.org' }] }));
  assert.deepEqual(shown.votes, [vote]);
});
