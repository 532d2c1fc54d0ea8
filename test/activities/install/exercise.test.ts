import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exercise } from '../../../activities/install/exercise.ts';
import type { PackageReport } from '../../../activities/install/steps.ts';
import { tryPackage } from '../../../activities/install/try-package.ts';
import { packageManagers } from '../../../activities/nodes/packages/managers.ts';
import type { Node } from '../../../activities/nodes/packages/node.ts';
import type { ExecResult } from '../../../activities/nodes/port.ts';
import { temporary } from '../repository/packages.ts';

/** A node that keeps what it is told, and answers by `reply`; what is installed later is there afterwards, with what it needs. */
function fakeNode(reply: (argv: readonly string[]) => Partial<ExecResult> | undefined, needs: readonly string[] = []) {
  const said: string[] = [];
  const installed = ['base'];
  const manager = packageManagers.deb;
  const exec = async (argv: readonly string[]): Promise<ExecResult> => {
    const good = { code: 0, output: '', timedOut: false };
    if (manager.installed.every((word) => argv.includes(word)))
      return { ...good, output: installed.map((name) => `${name}\t1\n`).join('') };
    said.push(argv.join(' '));
    const result = { ...good, ...reply(argv) };
    const at = argv.indexOf('install');
    if (at > 0 && result.code === 0) installed.push(...argv.slice(at + 1), ...needs);
    return result;
  };
  const log = { write: () => {}, section: () => {}, close: async () => ({ name: 'log', url: '' }) };
  const node: Node = {
    name: 'node',
    machine: { exec, put: async () => {} },
    manager,
    signal: new AbortController().signal,
    log,
  };
  const purges = () => said.filter((line) => line.includes(' purge ')).map((line) => line.split(' --auto-remove ')[1]);
  const installs = () => said.filter((line) => line.includes(' install ')).map((line) => line.split(' install ')[1]);
  return { node, installs, purges };
}

const control = (text: string) => async (path: string) => {
  return path === 'debian/tests/control' ? text : path === 'debian/tests/works' ? '#!/bin/sh\n' : null;
};

test('a test that wants the source’s packages has all of them', async (t) => {
  const { node, installs } = fakeNode(() => undefined);
  const source = control('Tests: works\nDepends: gcc, @\n');
  const settings = { source, siblings: ['lib1', 'lib-dev'], timeout: 1000, workdir: await temporary(t) };
  const found = await exercise(node, 'lib1', settings);
  assert.deepEqual(installs(), ['lib-dev gcc']);
  assert.equal(found.problem, null);
});

test('a test that wants packages of its source which exclude each other has the one under test', async (t) => {
  const conflict = { code: 100, output: 'E: Conflicts' };
  const { node, installs } = fakeNode((argv) => (argv.includes('other') ? conflict : undefined));
  const source = control('Tests: works\nDepends: @, gcc\n');
  const settings = { source, siblings: ['one', 'other'], timeout: 1000, workdir: await temporary(t) };
  assert.equal((await exercise(node, 'one', settings)).problem, null);
  assert.deepEqual(installs(), ['other gcc', 'gcc']);
});

test('a test that needs what is not to be had fails by name', async (t) => {
  const { node } = fakeNode((argv) => (argv.includes('gone') ? { code: 100, output: 'E: no' } : undefined));
  const settings = { source: control('Tests: works\nDepends: @, gone\n'), timeout: 1000, workdir: await temporary(t) };
  assert.equal((await exercise(node, 'one', settings)).problem, 'the test works needs gone: not to be had');
});

for (const [restrictions, problem] of [
  ['skippable', null],
  ['allow-stderr', 'the test works ended with 77: nothing to see'],
] as const) {
  test(`a test of the kind ${restrictions} that ends with 77`, async (t) => {
    const ended = { code: 77, output: 'nothing to see\n' };
    const { node } = fakeNode((argv) => (argv.at(-1) === '/sluice/source/debian/tests/works' ? ended : undefined));
    const source = control(`Tests: works\nRestrictions: ${restrictions}\n`);
    const found = await exercise(node, 'one', { source, timeout: 1000, workdir: await temporary(t) });
    assert.equal(found.problem, problem);
  });
}

test('what a test brought goes with the package, and by itself where the package cannot go', async (t) => {
  const refusal = { code: 100, output: 'E: Essential packages were removed and -y was used without' };
  const source = control('Tests: works\nDepends: @, gcc\n');
  const settings = { source, timeout: 1000, workdir: await temporary(t) };
  const plain = fakeNode(() => undefined);
  await tryPackage(plain.node, { name: 'tool', debug: false }, settings);
  assert.deepEqual(plain.purges(), ['tool gcc']);
  const vital = fakeNode((argv) => (argv.includes('purge') && argv.includes('vital') ? refusal : undefined));
  const { steps } = await tryPackage(vital.node, { name: 'vital', debug: false }, settings);
  assert.deepEqual(vital.purges(), ['vital gcc', 'gcc']);
  assert.equal(steps.at(-1)?.leftOut, 'the system cannot be without it');
});

test("I10: of a package whose trial comes to no end, because the job's time is up, the steps are told that were done", async (t) => {
  const reports: PackageReport[] = [];
  const { node } = fakeNode((argv) => {
    if (argv.at(-1) === '/sluice/source/debian/tests/works') throw new DOMException('late', 'TimeoutError');
    return undefined;
  });
  const source = control('Tests: works\n');
  const settings = {
    source,
    timeout: 1000,
    workdir: await temporary(t),
    begun: (one: PackageReport) => reports.push(one),
  };
  await assert.rejects(tryPackage(node, { name: 'tool', version: '1', debug: false }, settings), /late/);
  assert.deepEqual(
    reports.map(({ package: name, steps }) => [name, ...steps.map(({ step, problem }) => `${step}: ${problem}`)]),
    [['tool', 'install: null', 'integrity: null', 'exercise: not done when the test ended']],
  );
});

test('what came along with a package goes by name, unless the system wants to keep it', async (t) => {
  const refusal = { code: 100, output: 'E: Essential packages were removed and -y was used without' };
  const source = control('Tests: works\nDepends: @\n');
  const settings = { source, siblings: ['lib-dev', 'lib0:amd64'], timeout: 1000, workdir: await temporary(t) };
  const plain = fakeNode(() => undefined, ['lib0:amd64']);
  await tryPackage(plain.node, { name: 'lib-dev', debug: false }, settings);
  assert.deepEqual(plain.purges(), ['lib-dev lib0:amd64']);
  const keeping = fakeNode((argv) => (argv.includes('purge') && argv.includes('init') ? refusal : undefined), ['init']);
  const { steps } = await tryPackage(
    keeping.node,
    { name: 'tool', debug: false },
    { ...settings, siblings: ['extra'] },
  );
  assert.deepEqual(keeping.purges(), ['tool init extra', 'tool extra']);
  assert.deepEqual([steps.at(-1)?.problem, steps.at(-1)?.leftOut], [null, undefined]);
});
