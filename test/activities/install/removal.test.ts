import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { goodSummary } from '../../../activities/install/report.ts';
import { tryPackage } from '../../../activities/install/try-package.ts';
import { aptNode } from '../../../activities/nodes/packages/deb.ts';
import type { PackageManager } from '../../../activities/nodes/packages/port.ts';
import { dnfNode } from '../../../activities/nodes/packages/rpm.ts';

/** A node on which everything works but removals, which say `refusal`. */
function nodeThat(manager: PackageManager, refusal: string) {
  const log: string[] = [];
  const exec = async (argv: readonly string[]) => {
    const removing = argv.includes('purge') || argv.includes('remove');
    return { code: removing && refusal !== '' ? 1 : 0, output: removing ? refusal : '', timedOut: false };
  };
  const write = (text: string) => void log.push(text);
  const close = () => Promise.reject(new Error('the worker closes the log'));
  const signal = new AbortController().signal;
  const machine = { exec, put: async () => {} };
  const node = { name: 'node', machine, manager, signal, log: { write, section: write, close } };
  return { node, log };
}

const settings = { source: async () => null, timeout: 1000, workdir: tmpdir() };

for (const [says, manager, refusal] of [
  ['apt 2', aptNode, 'E: Essential packages were removed and -y was used without --allow-remove-essential.\n'],
  ['apt 3', aptNode, 'E: Removing essential system-critical packages is not permitted. This might break the system.\n'],
  [
    'dpkg',
    aptNode,
    'dpkg: error processing package a (--purge):\n this is a protected package; it should not be removed\n',
  ],
  ['dnf', dnfNode, 'Error: \n Problem: The operation would result in removing the following protected packages: a\n'],
] as const) {
  test(`P8: a removal that the system rightly forbids is left out, and said: ${says}`, async () => {
    const { node, log } = nodeThat(manager, refusal);
    const report = await tryPackage(node, { name: 'a', version: '1', debug: false }, settings);
    assert.deepEqual(report.steps.map(({ step, problem }) => [step, problem]).at(-1), ['remove', null]);
    assert.match(log.join(''), /remove: left out: the system cannot be without it/);
    const gone = { ...report, package: 'b', steps: [] };
    assert.equal(
      goodSummary([report, gone]),
      'installed, exercised and removed: b; installed and exercised, not removed because the system cannot be without it: a',
    );
  });
}

test('P8: any other removal that fails is a failure', async () => {
  const { node } = nodeThat(aptNode, 'E: Sub-process /usr/bin/dpkg returned an error code (1)\n');
  const report = await tryPackage(node, { name: 'a', version: '1', debug: false }, settings);
  assert.notEqual(report.steps.at(-1)?.problem, null);
});
