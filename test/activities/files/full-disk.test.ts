import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asRoot } from '../../../activities/process/in-terminal.ts';
import { must } from '../../../activities/process/run.ts';

const main = join(import.meta.dirname, '../../../cli/main.ts');

test('a full disk is told with the file and what to do, and leaves no part of it', async (t) => {
  const full = await mkdtemp(join(tmpdir(), 'sluice-full-'));
  const root = (...command: string[]) => must('env', [...asRoot(), ...command]);
  let mounted = false;
  t.after(async () => {
    if (mounted) await root('umount', full);
    await rm(full, { recursive: true });
  });
  await root('mount', '-t', 'tmpfs', '-o', 'size=4k,mode=777', 'tmpfs', full);
  mounted = true;
  await writeFile(join(full, 'noise'), Buffer.alloc(4096));
  const config = join(full, 'sluice.yaml');
  const { status, stderr } = spawnSync(process.execPath, [main, 'init', '--config', config], { encoding: 'utf8' });
  const said = `ENOSPC: no space left on device, write '${config}': make room there; 'df -h' and 'df -i' say what is full`;
  assert.deepEqual([status, stderr], [1, `sluice: ${said}\n`]);
  assert.deepEqual(await readdir(full), ['noise']);
});
