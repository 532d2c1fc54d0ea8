import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { toRunAgain } from '../../scripts/again.ts';

const run = (file: string, failed: number, { seconds = 1, fault = '✖ it failed' } = {}) => ({
  ...{ file, seconds },
  count: { passed: 1, failed, faults: failed > 0 ? [fault] : [] },
});
const files = (runs: Parameters<typeof toRunAgain>[0]) => toRunAgain(runs).map(({ file }) => file);

test('what failed runs again, and nothing else', () => {
  assert.deepEqual(files([run('a', 0), run('b', 2), run('c', 0)]), ['b']);
});

test('where much fails, nothing does', () => {
  const three = [run('a', 1), run('b', 1), run('c', 1)];
  assert.deepEqual(files(three), ['a', 'b', 'c']);
  assert.deepEqual(files([...three, run('d', 1)]), []);
});

test('what takes long does not', () => {
  assert.deepEqual(files([run('a', 1, { seconds: 400 }), run('b', 1, { seconds: 401 })]), ['a']);
});

test('nor a workflow that does not replay as it ran', () => {
  const fault = '✖ it ends\nDeterminismViolationError: [TMPRL1100] Nondeterminism error: …';
  assert.deepEqual(files([run('a', 1, { fault }), run('b', 1)]), ['b']);
});

test('the run says what passed at its second try, and fails where something never does', async () => {
  const [script, home] = [resolve('scripts/run-tests.ts'), await mkdtemp(join(tmpdir(), 'sluice-again-'))];
  try {
    await mkdir(join(home, 'test/workflows'), { recursive: true });
    const write = (name: string, body: string) =>
      writeFile(join(home, 'test/workflows', `${name}.test.ts`), `import { test } from 'node:test';\n${body}\n`);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const runAll = () =>
      spawnSync(process.execPath, [script, '--only', 'workflows'], { cwd: home, env, encoding: 'utf8' });
    await write('good', `test('good', () => {});`);
    await write(
      'seldom',
      `import { existsSync, mkdirSync } from 'node:fs';
      test('seldom', () => { if (!existsSync('x')) { mkdirSync('x'); throw new Error('not ready'); } });`,
    );
    const first = runAll();
    assert.match(
      first.stdout,
      /≈ test\/workflows\/seldom\.test\.ts passed when it ran again; at first:[\s\S]*not ready/,
    );
    assert.match(first.stdout, /\n2 passed, 0 failed, 1 of the files at their second run\n$/);
    assert.equal(first.status, 0);
    await write('never', `test('never', () => { throw new Error('wrong'); });`);
    const second = runAll();
    assert.match(second.stdout, /== once more, alone: test\/workflows\/never\.test\.ts[\s\S]*\n2 passed, 1 failed\n$/);
    assert.equal(second.status, 1);
  } finally {
    await rm(home, { recursive: true });
  }
});
