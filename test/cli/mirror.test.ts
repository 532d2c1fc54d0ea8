import assert from 'node:assert/strict';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { run } from '../../activities/process/run.ts';
import { findCommands } from '../../cli/commands.ts';
import { describeDeed, renderResult } from '../../cli/mirror.ts';
import { createProgram } from '../../cli/program.ts';
import type { MirrorResult } from '../../pipelines/mirror/outcome.ts';
import { temporary } from '../activities/repository/packages.ts';

const main = join(import.meta.dirname, '../../cli/main.ts');

async function sluice(directory: string, ...args: readonly string[]) {
  return run(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { cwd: directory });
}

test('M1: every command that works here takes --embedded', async () => {
  const names = ['build', 'lint', 'install-test', 'demo'];
  const mirror = ['sync', 'status', 'history', 'rollback', 'verify', 'prune', 'pause', 'resume'].map(
    (name) => `mirror ${name}`,
  );
  for (const name of [...names, ...mirror]) {
    const words = name.split(' ');
    let command = await createProgram(findCommands(words));
    for (const word of words) command = command.commands.find((each) => each.name() === word) ?? command;
    assert.ok(
      command.options.some(({ long }) => long === '--embedded'),
      name,
    );
  }
});

test('M10: without sets, status says so', async (t) => {
  const directory = await temporary(t);
  await writeFile(join(directory, 'sluice.yaml'), 'data: ./data\n');
  const { code, stdout } = await sluice(directory, 'mirror', 'status', '--embedded');
  assert.deepEqual([code, /no mirror sets are configured: add 'mirrors:' to sluice.yaml/.test(stdout)], [0, true]);
});

test('history, with --embedded, lists what was done here where no server ran', async (t) => {
  const directory = await temporary(t);
  await mkdir(join(directory, 'tree'));
  await writeFile(join(directory, 'tree/one'), 'text');
  const set = { source: './tree', init: true, hosts: { m1: { url: './m1' } } };
  // A Temporal that runs beside may have the usual port.
  const temporal = { port: 0, uiPort: 0 };
  await writeFile(join(directory, 'sluice.yaml'), JSON.stringify({ data: './data', temporal, mirrors: { deb: set } }));
  const status = await sluice(directory, 'mirror', 'status', 'deb');
  assert.equal(status.code, 0);
  assert.match(status.stdout, /^m1: nothing was synced yet$/m);
  assert.equal((await sluice(directory, 'mirror', 'sync', 'deb')).code, 0);
  assert.match(
    (await sluice(directory, 'mirror', 'status', 'deb')).stdout,
    /^m1: 1 snapshot: deb-\d{4}-\d\d-\d\d-\d{6}$/m,
  );
  await rename(join(directory, 'm1'), join(directory, 'gone'));
  const lost = await sluice(directory, 'mirror', 'status', 'deb');
  assert.equal(lost.code, 1);
  assert.match(lost.stdout, /missing: .*m1\/ is not there: 'sluice mirror sync deb' makes it/);
  assert.doesNotMatch(lost.stdout, /nothing was synced yet/);
  const { code, stdout, stderr } = await sluice(directory, 'mirror', 'history', 'deb', '--embedded', '--json');
  assert.equal(code, 0, stderr);
  const found = JSON.parse(stdout).map(({ set: name, outcome }: MirrorResult) => [name, outcome]);
  assert.deepEqual(found, [['deb', 'committed']]);
});

test('W12: each command says what it did', async (t) => {
  const directory = await temporary(t);
  await mkdir(join(directory, 'tree'));
  await writeFile(join(directory, 'tree/one'), 'text');
  const config =
    'data: ./data\nmirrors: {deb: {source: ./tree, init: true, heads: [stable], hosts: {m1: {url: ./m1}}}}\n';
  await writeFile(join(directory, 'sluice.yaml'), config);
  const rows = [
    [['sync', 'deb', '--dry-run'], /^deb: would send 1 file \(4 bytes\)\n(?:.*\n)?m1 +would be sent +stage +- +4/],
    [['sync', 'deb'], /^deb: committed deb-/],
    [['verify', 'deb'], /^deb: verified deb-/],
    [['pause', 'deb'], /^deb: paused, showing deb-/],
    [['sync', 'deb'], /^deb: paused: the sync waits for it to be resumed; it shows deb-/],
    [['resume', 'deb'], /^deb: resumed/],
    [['prune', 'deb', '--dry-run'], /0 snapshots would go\n$/],
  ] as const;
  for (const [words, said] of rows) {
    const { code, stdout, stderr } = await sluice(directory, 'mirror', ...words);
    assert.deepEqual([code, said.test(stdout)], [0, true], stdout + stderr);
  }
});

test('W12: a rehearsal after a rollback says that links would turn, though nothing is to be sent', () => {
  const nothing = { outcome: 'unchanged', target: null, previous: null, bytes: 0, files: 0, error: null } as const;
  const packages = { added: [], removed: [] };
  const rehearsed = (phase: 'stage' | 'done'): MirrorResult => {
    const hosts = { m1: { ...nothing, phase, packages } };
    return { ...{ set: 'deb', snapshot: null, outcome: 'unchanged', did: 'rehearsed' }, hosts, packages };
  };
  assert.match(
    renderResult(rehearsed('stage')),
    /^deb: nothing to send, and links to turn\n.*\nm1 +would turn +stage /,
  );
  assert.match(renderResult(rehearsed('done')), /^deb: nothing to send\n.*\nm1 +unchanged +done /);
});

test('W12: what failed is not called done', () => {
  const result: MirrorResult = {
    ...{ set: 'deb', snapshot: null, outcome: 'failed', hosts: {} },
    packages: { added: [], removed: [] },
  };
  assert.equal(describeDeed({ ...result, did: 'rehearsed' }), 'would fail');
  assert.equal(describeDeed({ ...result, did: 'rehearsed', outcome: 'partial' }), 'would be partial');
  assert.equal(describeDeed({ ...result, did: 'verified' }), 'not as it should be');
  assert.equal(describeDeed({ ...result, did: 'resumed' }), 'failed');
});

describe('M5: heads that cannot be used are refused as configuration', () => {
  const heads = ['a\nb', 'a\u0000b', 'a\u0007', 'a\\b', 'a -> b', 'x'.repeat(245), '\ud800', '../x', 'x//y', ''];
  const pairs = [['stable', 'stable/x'], ['stable', 'stable.target.txt'], ['snapshots/x'], ['stable', 'stable']];
  for (const list of [...heads.map((head) => [head]), ...pairs]) {
    test(JSON.stringify(list).slice(0, 60), async (t) => {
      const directory = await temporary(t);
      await mkdir(join(directory, 'tree'));
      const set = { source: './tree', init: true, heads: list, hosts: { m1: { url: './m1' } } };
      await writeFile(join(directory, 'sluice.yaml'), JSON.stringify({ data: './data', mirrors: { deb: set } }));
      const { code, stderr } = await sluice(directory, 'mirror', 'sync', 'deb');
      assert.deepEqual([code, /sluice\.yaml:\d+:\d+: /.test(stderr)], [2, true], stderr);
      assert.deepEqual((await readdir(directory)).sort(), ['sluice.yaml', 'tree']);
    });
  }

  test('a head that is odd, and can be used, is', async (t) => {
    const directory = await temporary(t);
    await mkdir(join(directory, 'tree'));
    const odd = ['#first', '; second', 'it\'s "so"', '-dash', 'ä ö', ' blank ', '$(x)', 'a*b[c]'];
    const set = { source: './tree', init: true, heads: odd, hosts: { m1: { url: './m1' } } };
    await writeFile(join(directory, 'sluice.yaml'), JSON.stringify({ data: './data', mirrors: { deb: set } }));
    const { code, stdout, stderr } = await sluice(directory, 'mirror', 'sync', 'deb');
    assert.equal(code, 0, stdout + stderr);
    const there = await readdir(join(directory, 'm1'));
    for (const head of odd) assert.ok(there.includes(head) && there.includes(`${head}.target.txt`), head);
  });
});
