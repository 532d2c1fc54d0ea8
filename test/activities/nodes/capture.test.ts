import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { captureNetwork } from '../../../activities/nodes/capture.ts';
import { begin } from '../../../activities/process/begin.ts';
import { must } from '../../../activities/process/run.ts';
import { temporary } from '../repository/packages.ts';
import { heard, sendFrames } from './frames.ts';

const writer = fileURLToPath(new URL('../../../activities/nodes/capture.pl', import.meta.url));
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

/** A capture's program by a shell that has words of its own. */
const afterWords = (words: string) => (args: readonly string[]) =>
  begin('sh', ['-c', `{ ${words}; } >&2; exec perl "$@"`, 'sh', writer, ...args]);

test('I10: words of a shell or of Perl before a capture listens are none of its own', async (t) => {
  const path = join(await temporary(t), 'network.pcap');
  const words = 'LC_ALL=en_XX.UTF-8; export LC_ALL; echo "cannot change locale"';
  const capture = await captureNetwork({ group, port }, { path, limit: 10_000 }, afterWords(words));
  await sendFrames({ group, port }, 1);
  assert.deepEqual(await capture.end(), { cut: false });
  assert.equal((await must('tcpdump', ['-tnr', path])).stdout.trim(), heard);
});

test('I10: a capture that does not listen is given up, with what was said instead', async (t) => {
  const file = { path: join(await temporary(t), 'network.pcap'), limit: 1_000 };
  const ends = captureNetwork({ group, port }, file, afterWords('echo "no shell for you"; exit 0'));
  await assert.rejects(ends, { message: 'no shell for you' });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const program = await begin('sleep', ['60']);
  let over = false;
  const waits = captureNetwork({ group, port }, file, async () => program).finally(() => {
    over = true;
  });
  const message = 'it does not listen after 10 s: it says nothing';
  const given = assert.rejects(waits, { message });
  for (; !over; await setImmediate()) t.mock.timers.tick(10_000);
  await given;
  assert.equal(await program.ended, 137);
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
