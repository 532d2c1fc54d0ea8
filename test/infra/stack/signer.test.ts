import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { lockDirectory } from '../../../infra/stack/lock.ts';
import { supervise } from '../../../infra/stack/process.ts';
import { standalone } from '../../../infra/stack/settings.ts';
import { asSigner } from '../../../infra/stack/signer.ts';
import { specs } from '../../../infra/stack/stack.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-stack-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Sets a variable of this process for one test. */
function given(t: TestContext, name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  t.after(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

test('the secrets of the archive’s keys are in the environment of the signer, and of no other process', async (t) => {
  const at = directory(t);
  const fingerprint = '0123456789ABCDEF0123456789ABCDEF01234567';
  const keys = [
    { kind: 'file', fingerprint, key: { env: 'SLUICE_TEST_KEY' }, passphrase: { env: 'SLUICE_TEST_PASSPHRASE' } },
    { kind: 'card', fingerprint, home: '/srv/card', pin: { env: 'SLUICE_TEST_PIN' } },
  ];
  for (const name of ['SLUICE_TEST_KEY', 'SLUICE_TEST_PASSPHRASE', 'SLUICE_TEST_PIN']) given(t, name, 'canary-51c0');
  writeFileSync(join(at, 'sluice.yaml'), JSON.stringify({ release: { keys: { sign: [...keys, 'Archive'] } } }));
  const lock = await lockDirectory(at, 0);
  t.after(() => lock.release());
  const supervision = { logs: join(at, 'log'), lock: lock.fd, notice: () => {} };
  const seen: Record<string, number> = {};
  for (const { name, env } of specs(standalone(loadConfig({ directory: at, data: join(at, 'data') })))) {
    const started = supervise(
      { name, env: env ?? {}, command: ['sleep', '60'], ready: async () => {}, grace: 1_000 },
      supervision,
    );
    // The kernel shows what the program was started with once it runs.
    while (!readFileSync(`/proc/${started.pid()}/cmdline`, 'utf8').startsWith('sleep')) await new Promise(setImmediate);
    seen[name] = readFileSync(`/proc/${started.pid()}/environ`, 'utf8').match(/canary-51c0/g)?.length ?? 0;
    await started.stop();
  }
  assert.deepEqual(seen, { temporal: 0, server: 0, 'build-worker': 0, signer: 3 });
});

test('the signer reads the credentials that systemd closes to all but the service’s user', async (t) => {
  const at = directory(t);
  chmodSync(at, 0o755);
  const credentials = join(at, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'archive-pin'), 'canary-51c0\n', { mode: 0o400 });
  chmodSync(credentials, 0o500);
  given(t, 'CREDENTIALS_DIRECTORY', credentials);
  const [program = '', ...args] = asSigner(['cat', join(credentials, 'archive-pin')], at);
  assert.equal((await must(program, args)).stdout, 'canary-51c0\n');
});
