import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostAway } from '../../activities/outcome.ts';
import { ChangeNotReady } from '../../activities/review/port.ts';
import { lookAtEach } from '../../server/events/look-at-each.ts';

const all = Array.from({ length: 8 }, (_, index) => `c${index}`);

async function lookWith(fault: Error): Promise<readonly string[]> {
  const seen: string[] = [];
  const look = async (id: string) => {
    seen.push(id);
    if (id < 'c6') throw fault;
    return 1;
  };
  await assert.rejects(lookAtEach(all, look), fault);
  return seen;
}

test('I9: a sync looks at all changes, however many of them their host cannot say anything of yet', async () => {
  assert.deepEqual(await lookWith(new ChangeNotReady('it has not been computed')), all);
});

test('looks end with the time that they have, and the next try goes on', async () => {
  const seen: string[] = [];
  const over = new AbortController();
  const look = async (id: string) => {
    if (seen.push(id) === 2) over.abort(new Error('it took too long'));
    return 1;
  };
  await assert.rejects(lookAtEach(all, look, over.signal), /it took too long/);
  assert.deepEqual(seen, ['c0', 'c1']);
});

test('a host that is away is not asked for change after change', async () => {
  assert.deepEqual(await lookWith(new HostAway('nobody answers')), all.slice(0, 3));
});
