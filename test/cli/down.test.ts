import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openKey } from '../../activities/sign/key.ts';
import { hasAgent } from '../../activities/sign/signing-key/gnupg/open.ts';
import { lockDirectory } from '../../infra/stack/lock.ts';
import { dataPaths } from '../../infra/stack/paths.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

test('down waits for processes that a killed command has left, and ends their agents', async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), 'sluice-down-'));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  const data = join(cwd, 'data');
  const down = () => spawn(process.execPath, [main, 'down'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  assert.equal(await text(down().stderr), `nothing runs on ${data}\n`);
  (await lockDirectory(data, 0)).release();
  assert.equal(await text(down().stderr), `nothing runs on ${data}\n`);
  const { testKeys } = dataPaths(data);
  await openKey(testKeys, 'Test', 'ed25519');
  assert.ok(await hasAgent(testKeys));
  const left = spawn('flock', ['--no-fork', join(data, 'lock'), 'sh', '-c', 'echo; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => left.kill());
  await once(left.stdout, 'data');
  const waiting = down();
  const said: string[] = [];
  waiting.stderr.setEncoding('utf8').on('data', (more: string) => {
    said.push(more);
    left.kill();
  });
  const [code] = await once(waiting, 'close');
  const words = `what was killed has left processes on ${data}: they are ending\nthey have ended\n`;
  assert.deepEqual([code, said.join('')], [0, words]);
  assert.equal(await hasAgent(testKeys), false);
});
