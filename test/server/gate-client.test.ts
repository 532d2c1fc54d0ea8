import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { createGateClient } from '../../server/events/gate-client.ts';
import type { GateMessage } from '../../workflows/contract.ts';

const gate = { tenant: 't', pipeline: 'gate', queue: 'q' };
const message = (id: string): GateMessage => ({ id, commands: [] });

/** A gate of which each delivery ends as it is told to: `away` for a minute, `gone`, or taken. */
function gateThat(...ends: ('away' | 'gone' | 'taken')[]) {
  const deliveries: string[][] = [];
  const deliver = async (_update: unknown, { args: [messages] }: { readonly args: [readonly GateMessage[]] }) => {
    deliveries.push(messages.map(({ id }) => id));
    const end = ends.length > 1 ? ends.shift() : ends[0];
    if (end === 'gone') throw new WorkflowNotFoundError('no such gate', 'gate/t/gate/q', undefined);
    if (end === 'away') throw new Error('Temporal is away');
    return messages.map(() => ({ ok: true }));
  };
  const workflow = { getHandle: () => ({ executeUpdate: deliver }), executeUpdateWithStart: deliver };
  return { deliveries, gates: createGateClient({ workflow } as unknown as Client) };
}

test('what is told while a delivery is under way goes with the next one, all of it together', async () => {
  const { deliveries, gates } = gateThat('taken');
  const first = gates.tell(gate, message('1'));
  await null;
  await null;
  await Promise.all([first, ...['2', '3', '4'].map((id) => gates.tell(gate, message(id)))]);
  assert.deepEqual(deliveries, [['1'], ['2', '3', '4']]);
});

test('where a delivery is given up, nothing that came after it arrives: it is brought again in its order', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'] });
  const { deliveries, gates } = gateThat('away');
  const ends = Promise.allSettled([
    gates.inform(gate, message('1')),
    // One that starts the gate goes by itself, behind one that does not.
    gates.tell(gate, message('2')),
  ]);
  for (let tries = 0; tries < 1_300; tries += 1) {
    t.mock.timers.tick(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(
    (await ends).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual([...new Set(deliveries.flat())], ['1'], 'the second was not even tried');
});

test('a gate that is not there keeps nothing back that starts it', async () => {
  const { deliveries, gates } = gateThat('gone', 'taken');
  await Promise.all([gates.inform(gate, message('1')), gates.tell(gate, message('2'))]);
  assert.deepEqual(deliveries, [['1'], ['2']]);
});
