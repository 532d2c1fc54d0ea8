import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const module = new URL('../../../activities/process/temporary.ts', import.meta.url).href;

test('before its first directory a process removes those of processes that are gone, and no other', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'temporary-'));
  t.after(() => rm(root, { recursive: true }));
  const begin = async (kind: string) => {
    const script = `import { makeTemporary } from '${module}';
      console.log(await makeTemporary('${kind}'));
      setInterval(() => {}, 1_000);`;
    const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, TMPDIR: root },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const [said] = await once(child.stdout, 'data');
    const end = async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    return {
      name: String(said)
        .trim()
        .slice(root.length + 1),
      end,
    };
  };
  await mkdir(join(root, 'sluice-verify-abcdef'));
  const [gone, lives] = await Promise.all([begin('sluice-verify'), begin('sluice-release')]);
  assert.match(gone.name, /^sluice-verify-[0-9a-f]{8}-\d+-\d+-\w+$/);
  await gone.end();
  const next = await begin('sluice-base');
  assert.deepEqual((await readdir(root)).sort(), [next.name, lives.name, 'sluice-verify-abcdef'].sort());
});
