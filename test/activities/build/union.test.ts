import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { openSource } from '../../../activities/build/source.ts';
import { unionRemarks } from '../../../activities/build/union.ts';
import { must } from '../../../activities/process/run.ts';

/** A tree with its history, as a build gets it. */
async function remarksOn(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const root = await mkdtemp(join(tmpdir(), 'union-'));
  try {
    const directory = join(root, 'source');
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    const git = (...args: readonly string[]) =>
      must('git', ['-c', 'user.name=Dev', '-c', 'user.email=dev@sluice.dev', ...args], { cwd: directory });
    await git('init', '--quiet');
    await git('add', '--all');
    await git('commit', '--quiet', '--message', 'Import');
    return await unionRemarks(await openSource(directory));
  } finally {
    await rm(root, { recursive: true });
  }
}

test('P6: a branch that merges changelogs line by line is warned of, with what to say instead', async () => {
  const files = { 'debian/changelog': 'x\n', 'rpm/tool.spec': 'Name: tool\nVersion: 1\n' };
  assert.deepEqual(
    await remarksOn({ ...files, '.gitattributes': 'debian/changelog merge=union\n*.spec merge=union\n' }),
    [
      '.gitattributes has merge=union for debian/changelog, which makes broken entries: use merge=dpkg-mergechangelogs',
      '.gitattributes has merge=union for rpm/tool.spec, which makes broken entries: use merge=spec-changelog',
    ],
  );
  const fine = 'debian/changelog merge=dpkg-mergechangelogs\nNEWS merge=union\n';
  assert.deepEqual(await remarksOn({ ...files, '.gitattributes': fine }), []);
  assert.deepEqual(await remarksOn(files), []);
});
