import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Times } from '../../scripts/run-file.ts';

const script = resolve(import.meta.dirname, '../../scripts/run-file.ts');

/** Runs a test file with a limit, as the test runner does, and answers with what it counted and said. */
async function run(source: string, limit: number, more: Omit<Times, 'limit'> = {}) {
  const home = await mkdtemp(join(tmpdir(), 'sluice-run-file-'));
  try {
    const file = join(home, 'it.test.mjs');
    await writeFile(file, source.replaceAll('HOME', home));
    const main = `import { runFile } from ${JSON.stringify(script)};
      console.log('COUNT ' + JSON.stringify(await runFile(${JSON.stringify(file)}, ${JSON.stringify({ limit, ...more })})));`;
    await writeFile(join(home, 'main.mjs'), main);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = spawnSync(process.execPath, [join(home, 'main.mjs')], { encoding: 'utf8', env });
    const count = JSON.parse(/^COUNT (.*)$/m.exec(stdout)?.[1] ?? '{}');
    const pid = await readFile(join(home, 'pid'), 'utf8').catch(() => undefined);
    return { count, stdout, pid };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

test('R17: a file that ends in time counts its tests', async () => {
  const { count } = await run(
    `import { test } from 'node:test'; test('one', () => {}); test('two', () => {});`,
    60_000,
  );
  assert.deepEqual(count, { passed: 2, failed: 0, faults: [] });
});

test('R17: a file that does not end is ended with what it started, and fails by its name', async () => {
  const source = `
    import { test } from 'node:test';
    import { spawn } from 'node:child_process';
    import { writeFileSync } from 'node:fs';
    process.on('SIGTERM', () => {});
    test('waits for ever', async () => {
      const { pid } = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
      writeFileSync('HOME/pid', String(pid));
      await new Promise(() => setInterval(() => {}, 1000));
    });`;
  const { count, stdout, pid } = await run(source, 5_000);
  assert.ok(count.failed >= 1);
  assert.match(stdout, /✖ \S*it\.test\.mjs took longer than 5 s: it was ended/);
  assert.ok(pid !== undefined, 'it came to its child');
  const stateNow = () => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
  // A killed process ends when it gets a core.
  let state = await stateNow();
  for (let looks = 0; looks < 200 && !/^gone$|\) Z /.test(state); looks += 1) {
    await sleep(50);
    state = await stateNow();
  }
  assert.match(state, /^gone$|\) Z /, 'it has ended, whether somebody has asked for its end or not');
});

test('a file without a test fails, as does a test that is left out', async () => {
  const { passed, failed, faults } = (await run('', 60_000)).count;
  assert.deepEqual([passed, failed], [0, 1]);
  assert.match(faults[0], /^✖ \S*it\.test\.mjs ran no test$/);
  const left = `import { test } from 'node:test'; test('one', { skip: true }, () => {});`;
  assert.deepEqual((await run(left, 60_000)).count, { passed: 0, failed: 1, faults: ['✖ one was left out'] });
});

test('what failed is told with its file and its reason, once', async () => {
  const source = `import { describe, it } from 'node:test'; import assert from 'node:assert/strict';
    describe('all', () => { it('one', () => assert.fail('the reason')); it('two', () => {}); });`;
  const { count, stdout } = await run(source, 60_000);
  const { passed, failed, faults } = count;
  assert.deepEqual([passed, failed, faults.length], [1, 1, 1]);
  assert.match(faults[0], /^✖ one \(\S*it\.test\.mjs\)\n.*the reason/);
  assert.ok(stdout.startsWith(faults[0]), 'as it comes');
});

test('a file that fails says also that a workflow did not replay', async () => {
  const source = `import { test } from 'node:test';
    console.error('Failing workflow task: [TMPRL1100] Nondeterminism error');
    test('waits for it', () => { throw new Error('it never came'); });`;
  const { failed, faults } = (await run(source, 60_000)).count;
  assert.equal(failed, 1);
  assert.match(faults.at(-1), /^✖ \S*it\.test\.mjs: a workflow did not replay as it ran/);
});

test('what runs for long is told while it does', async () => {
  const source = `import { test } from 'node:test';
    test('ends', () => {});
    test('goes on', () => new Promise((resolve) => setTimeout(resolve, 3_000)));`;
  const { count, stdout } = await run(source, 60_000, { each: 500 });
  assert.equal(count.passed, 2);
  assert.match(stdout, /^… \S*it\.test\.mjs, goes on$/m);
});

test('a file that something keeps from ending is ended soon after its last test, says what, and leaves no process', async () => {
  const source = `
    import { after, before, test } from 'node:test';
    import { spawn } from 'node:child_process';
    import { createServer } from 'node:net';
    import { writeFileSync } from 'node:fs';
    let server;
    before(() => {
      createServer().listen(0, '127.0.0.1');
      writeFileSync('HOME/pid', String(spawn('sleep', ['600'], { stdio: 'ignore', detached: true }).pid));
      throw new Error('the image is not there');
    });
    after(() => server.close());
    test('asks the server', () => {});`;
  const { count, pid } = await run(source, 60_000, { late: 200 });
  assert.match(
    count.faults.at(-1),
    /it\.test\.mjs was ended: .* left open process \d+ \(sleep 600\), tcp 127\.0\.0\.1:\d+$/,
  );
  assert.match(count.faults.join('\n'), /the image is not there/);
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone');
  assert.match(state, /^gone$|\) Z /, 'what it has started has ended with it');
});

test('a file that passes its tests and does not end fails', async () => {
  const source = `import { test } from 'node:test'; setInterval(() => {}, 1000); test('one', () => {});`;
  const { passed, failed, faults } = (await run(source, 60_000, { late: 200 })).count;
  assert.deepEqual([passed, failed], [1, 1]);
  assert.match(faults.at(-1), /left open timer$/);
});

test('a file that has more tests after its `after` hooks is ended after the last of them', async () => {
  const source = `import { after, test } from 'node:test';
    setInterval(() => {}, 1000);
    test('one', () => {});
    await new Promise((resolve) => after(resolve));
    test('two', () => {});`;
  const { passed, failed, faults } = (await run(source, 60_000, { late: 2_000 })).count;
  assert.deepEqual([passed, failed], [2, 1]);
  assert.match(faults.at(-1), /left open timer$/);
});
