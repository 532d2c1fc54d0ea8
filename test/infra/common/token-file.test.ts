import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readToken } from '../../../infra/common/token-file.ts';

test('a worker elsewhere says that its token is not there, or is none', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-token-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'far-1');
  await assert.rejects(
    readToken(file),
    /^Error: --token \S+\/far-1 cannot be read: ENOENT: no such file or directory$/,
  );
  for (const text of ['', '\n', 'two words\n']) {
    await writeFile(file, text);
    await assert.rejects(readToken(file), /^Error: --token \S+\/far-1 holds no token: /);
  }
  await writeFile(file, 'abc\n');
  assert.equal(await readToken(file), 'abc');
});
