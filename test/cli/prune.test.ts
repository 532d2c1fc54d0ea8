import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../activities/process/run.ts';
import { execute } from './run.ts';

test('prune lets go of old speculative commits, of every project that has a repository', async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), 'sluice-prune-'));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  await writeFile(join(cwd, 'sluice.yaml'), 'data: ./data\nprojects:\n  libs/one: {}\n  not-yet: {}\n');
  const repository = join(cwd, 'data', 'git', 'libs', 'one.git');
  await must('git', ['init', '-q', '--bare', repository]);
  const input = 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nx\n';
  const write = ['-C', repository, 'hash-object', '--literally', '-t', 'commit', '-w', '--stdin'];
  const commit = (await must('git', write, { input })).stdout.trim();
  await must('git', ['-C', repository, 'update-ref', `refs/sluice/states/2001-01-01/${commit}`, commit]);

  const prune = (...words: string[]) => execute<{ states: number }>(['prune', '--json', ...words], cwd);
  assert.deepEqual(
    [prune('--dry-run'), prune('--dry-run'), prune(), prune()].map(({ status, json }) => [status, json?.states]),
    [1, 1, 1, 0].map((states) => [0, states]),
  );
});
