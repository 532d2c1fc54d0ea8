import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { captureNetwork } from '../../../activities/nodes/capture.ts';
import { must } from '../../../activities/process/run.ts';
import { temporary } from '../repository/packages.ts';

const group = '239.192.77.9';
const port = 20_000 + (process.pid % 10_000);

/** Who has 10.77.0.11? Tell 10.77.0.10. */
const question = Buffer.from(
  `ffffffffffff525400000001080600010800060400015254000000010a4d000a${'00'.repeat(6)}0a4d000b`,
  'hex',
);

/** Sends frames as an emulator does. */
async function send(count: number, to = group): Promise<void> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  for (let sent = 0; sent < count; sent += 1) {
    await new Promise<void>((resolve, reject) => {
      socket.send(question, port, to, (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.close();
}

async function captured(t: TestContext, limit: number, work: () => Promise<void>) {
  const path = join(await temporary(t), 'network.pcap');
  const capture = await captureNetwork({ group, port }, { path, limit });
  await work();
  const { cut } = await capture.end();
  const { stdout } = await must('tcpdump', ['-tnr', path]);
  return { cut, frames: stdout.trim().split('\n'), size: (await stat(path)).size };
}

const heard = 'ARP, Request who-has 10.77.0.11 tell 10.77.0.10, length 28';

test('I10: what virtual machines send each other is written as tcpdump reads it, and of no other group', async (t) => {
  const { cut, frames } = await captured(t, 10_000, async () => {
    await send(2);
    await send(1, '239.192.77.10');
  });
  assert.deepEqual({ cut, frames }, { cut: false, frames: [heard, heard] });
});

test('I10: a capture that reaches its limit ends with a whole frame, and says so', async (t) => {
  const { cut, frames, size } = await captured(t, 200, () => send(9));
  assert.deepEqual({ cut, frames, size }, { cut: true, frames: [heard, heard, heard], size: 24 + 3 * (16 + 42) });
});

test('I10: a network that cannot be heard is named', async (t) => {
  const file = { path: join(await temporary(t), 'network.pcap'), limit: 1_000 };
  await assert.rejects(
    captureNetwork({ link: 'br-none' }, file),
    /^Error: there is no interface br-none on this machine$/,
  );
  const full = { path: join(await temporary(t), 'none', 'network.pcap'), limit: 1_000 };
  await assert.rejects(captureNetwork({ group, port }, full), /No such file or directory/);
});
