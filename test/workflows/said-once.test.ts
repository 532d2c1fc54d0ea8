import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SaidOnce } from '../../workflows/said-once.ts';

test('what goes wrong again is news when it is something else, or went well meanwhile', () => {
  const said = new SaidOnce();
  assert.deepEqual(
    ['no snapshot', 'no snapshot', 'no room', 'no room'].map((what) => said.isNews('vm', what)),
    [true, false, true, false],
  );
  assert.equal(said.isNews('other', 'no room'), true);
  said.forget('vm');
  assert.equal(said.isNews('vm', 'no room'), true);
  assert.equal(said.isNews('other', 'no room'), false);
  said.keep(['vm']);
  assert.deepEqual(
    ['vm', 'other'].map((about) => said.isNews(about, 'no room')),
    [false, true],
  );
});
