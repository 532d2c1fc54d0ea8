import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { captureNetwork } from '../../../activities/nodes/capture.ts';
import { must } from '../../../activities/process/run.ts';
import { temporary } from '../repository/packages.ts';
import { heard, sendFrames } from './frames.ts';

const group = '239.192.77.9';
const port = 20_000 + (process.pid % 10_000);

async function captured(t: TestContext, limit: number, work: () => Promise<void>) {
  const path = join(await temporary(t), 'network.pcap');
  const capture = await captureNetwork({ group, port }, { path, limit });
  await work();
  const { cut } = await capture.end();
  const { stdout } = await must('tcpdump', ['-tnr', path]);
  return { cut, frames: stdout.trim().split('\n'), size: (await stat(path)).size };
}

test('I10: what virtual machines send each other is written as tcpdump reads it, and of no other group', async (t) => {
  const { cut, frames } = await captured(t, 10_000, async () => {
    await sendFrames({ group, port }, 2);
    await sendFrames({ group: '239.192.77.10', port }, 1);
  });
  assert.deepEqual({ cut, frames }, { cut: false, frames: [heard, heard] });
});

test('I10: a capture that reaches its limit ends with a whole frame, and says so', async (t) => {
  const { cut, frames, size } = await captured(t, 200, () => sendFrames({ group, port }, 9));
  assert.deepEqual({ cut, frames, size }, { cut: true, frames: [heard, heard, heard], size: 24 + 3 * (16 + 42) });
});

test('I10: a network that cannot be heard is named', async (t) => {
  const file = { path: join(await temporary(t), 'network.pcap'), limit: 1_000 };
  await assert.rejects(
    captureNetwork({ link: 'br-none' }, file),
    /^Error: there is no interface br-none on this machine$/,
  );
  const full = { path: join(await temporary(t), 'none', 'network.pcap'), limit: 1_000 };
  await assert.rejects(captureNetwork({ group, port }, full), /no such file or directory/);
});
