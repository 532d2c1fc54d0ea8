import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handledEvents } from '../../server/events/ledger.ts';

test('of the events of a change the last that was handled is remembered, over restarts, in one mark', async () => {
  const marks = new Set<string>();
  const ledger = {
    wasTold: async (key: string) => marks.has(key),
    markTold: async (key: string) => void marks.add(key),
    forgetTold: async (key: string) => void marks.delete(key),
    listTold: async (start: string) => [...marks].filter((key) => key.startsWith(start)),
  };
  const read = (last: number) => async () => ({ last });
  const first = handledEvents(ledger);
  for (let event = 1; event <= 5; event += 1) {
    assert.equal(await first.last('git:1', read(event)), event - 1);
    await first.mark('git:1', event);
  }
  await first.mark('git:2', 1);
  assert.deepEqual([...marks], ['event/git:1/5', 'event/git:2/1']);
  const later = handledEvents(ledger);
  assert.equal(await later.last('git:1', read(7)), 5);
  // Who lags behind takes nothing away from who is ahead.
  await first.mark('git:1', 9);
  await later.mark('git:1', 7);
  assert.equal(await handledEvents(ledger).last('git:1', read(9)), 9);
  // A host that was restored from a backup has fewer: none of them is new, and those of a longer name count for nothing.
  const restored = handledEvents(ledger);
  assert.equal(await restored.last('git:1', read(4)), 4);
  assert.equal(await restored.last('git:11', read(4)), 0);
});
