import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../../../activities/files/digest.ts';
import { run } from '../../../activities/process/run.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { generationsOf } from '../../../activities/repository/generations.ts';
import { makePackage, temporary } from './packages.ts';

/** A program in the place of another: does a little of what it was asked to, and kills whoever asked. */
async function killing(work: string, program: string, script: string): Promise<string> {
  const bin = join(work, `bin-${program}`);
  await mkdir(bin);
  await writeFile(join(bin, program), `#!/bin/sh\n${script}\nkill -KILL $PPID\n`, { mode: 0o755 });
  return `${bin}:${process.env.PATH}`;
}

test('who is killed while an old tree goes leaves nothing that a later one is made of', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const format = repositoryFormats.deb;
  let made = 0;
  const publish = async (path = process.env.PATH ?? '') => {
    made += 1;
    const file = await makePackage('deb', work, { name: `p${made}`, version: '1' });
    const { code } = await run(process.execPath, [join(import.meta.dirname, 'prune-child.ts'), dir, file], {
      env: { ...(process.env as Record<string, string>), PATH: path },
    });
    return code;
  };
  const check = async (count: number) => {
    const listed = await format.list(dir);
    assert.equal(listed.length, count);
    for (const { path, sha256: digest } of listed) assert.equal(await sha256(join(dir, path)), digest, path);
  };
  for (let nth = 0; nth < 5; nth += 1) assert.equal(await publish(), 0);
  const { home } = await generationsOf(dir);
  const inRemoval = await killing(work, 'rm', 'find "$4/pool" -type f | head -n 2 | xargs unlink');
  const beforeShown = await killing(work, 'mv', ':');
  for (let nth = 0; nth < 2; nth += 1) {
    // Where nothing is known of a tree, the one that was set aside is not taken for the next, and goes.
    await rm(join(home, 'stale.json'));
    assert.notEqual(await publish(inRemoval), 0, 'it was not killed while a tree went');
    assert.ok((await readdir(home)).some((name) => name.startsWith('going-')));
    await check(made);
    assert.notEqual(await publish(beforeShown), 0, 'it was not killed while a tree was set aside');
    await check(made);
    assert.equal(await publish(), 0);
    await check(made);
    assert.deepEqual(
      (await readdir(home)).filter((name) => /^(going|partial)/.test(name)),
      [],
    );
  }
});
