import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GateAnswer } from '../../pipelines/gate/command.ts';
import type { HandledMessage } from '../../pipelines/gate/memory.ts';
import { firstLedgerBounds, Ledger, ledgerBounds } from '../../workflows/ledger.ts';

const minute = 60_000;
const start = Date.UTC(2026, 10, 27);

/** Hands the memory on as a rollover does. */
function rollOver(ledger: Ledger): Ledger {
  return new Ledger(JSON.parse(JSON.stringify(ledger.handedOn())) as HandledMessage[], ledgerBounds);
}

/** The answer to a message: one in seven was refused, for a reason of its own. */
function answerTo(sent: number): GateAnswer {
  return sent % 7 === 0 ? { ok: false, reason: `no ${sent}` } : { ok: true };
}

test('R11: at 50 messages a second for 10 minutes whoever repeats gets the answer of before, over rollovers', () => {
  let ledger = new Ledger([], ledgerBounds);
  const total = 10 * 60 * 50;
  for (let sent = 0; sent < total; sent += 1) {
    const time = start + sent * 20;
    // Each comes again a minute later, and some of the first ones all the time.
    for (const again of [sent - 60 * 50, sent % 97]) {
      if (again < 0 || again >= sent) continue;
      assert.deepEqual(ledger.answerTo(`event-${again}`), answerTo(again), `${again} at ${sent}`);
    }
    ledger.keep(`event-${sent}`, answerTo(sent), time);
    if (sent % 5_000 === 0) ledger = rollOver(ledger);
  }
  assert.equal(ledger.handedOn().length, total);
});

test('R11: what nobody repeats any more is forgotten, and there is a limit in any case', () => {
  const ledger = new Ledger([], ledgerBounds);
  const sizes = { quiet: 0, busy: 0, flooded: 0 };
  for (let sent = 0; sent < 2_000; sent += 1) ledger.keep(`quiet-${sent}`, { ok: true }, start + sent * minute);
  sizes.quiet = ledger.handedOn().length;
  const then = start + 2_000 * minute;
  for (let sent = 0; sent < 60 * 60 * 50; sent += 1) ledger.keep(`busy-${sent}`, { ok: true }, then + sent * 20);
  sizes.busy = ledger.handedOn().length;
  const later = then + 60 * minute;
  for (let sent = 0; sent < 200_000; sent += 1) ledger.keep(`flooded-${sent}`, { ok: true }, later + sent);
  sizes.flooded = ledger.handedOn().length;
  assert.deepEqual(sizes, { quiet: 1_000, busy: 45_001, flooded: 50_000 });
  assert.ok(JSON.stringify(ledger.handedOn()).length < 5_000_000);
});

test('what is handed on keeps order, answers and times', () => {
  const ledger = new Ledger([{ id: 'old' }, { id: 'older', refused: 'no' }], ledgerBounds);
  ledger.keep('a', { ok: true }, start);
  ledger.keep('b', { ok: false, reason: 'not now' }, start + 10);
  ledger.keep('c', { ok: true }, start + 1_500);
  const expected = [
    ...[{ id: 'old' }, { id: 'older', refused: 'no' }, { id: 'a', at: start }],
    ...[
      { id: 'b', refused: 'not now' },
      { id: 'c', at: start + 1_500 },
    ],
  ];
  assert.deepEqual(ledger.handedOn(), expected);
  assert.deepEqual(rollOver(ledger).handedOn(), expected);
});

test('runs that began when only the number counted keep to it', () => {
  const ledger = new Ledger([], firstLedgerBounds);
  for (let sent = 0; sent < 1_200; sent += 1) ledger.keep(`event-${sent}`, { ok: true }, start);
  assert.equal(ledger.answerTo('event-199'), undefined);
  assert.equal(ledger.handedOn().length, 1_000);
});
