import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageManagers } from '../../../activities/nodes/packages/managers.ts';
import { type Node, onNode } from '../../../activities/nodes/packages/node.ts';
import { run } from '../../../activities/process/run.ts';
import { Recorder } from '../../../activities/test-service/recorder.ts';

/** This machine as a node: what the recorder adds to a program is for any POSIX shell. */
function here(signal: AbortSignal): Node {
  const log = { write: () => {}, section: () => {}, close: async () => ({ name: 'log', url: '' }) };
  const exec: Node['machine']['exec'] = async ([program = '', ...args], { timeout }) => {
    const ran = await run(program, args, timeout === undefined ? {} : { timeout });
    return { code: ran.code, output: `${ran.stdout}${ran.stderr}`, timedOut: ran.timedOut };
  };
  return { name: 'node', machine: { exec, put: async () => {} }, manager: packageManagers.deb, signal, log };
}

async function record(script: string, { timeout = 10_000, problem = null as string | null } = {}) {
  const { signal } = new AbortController();
  const recorder = new Recorder({ signal, begun: async () => {} });
  const node = recorder.listen(here(signal));
  const good = await recorder.run('stage', async () => {
    const { code, timedOut } = await onNode(node, ['sh', '-c', script], timeout);
    return problem ?? (timedOut ? 'too long' : code === 0 ? null : `it ended with ${code}`);
  });
  return { good, ...recorder.result.stage };
}

test('A-057: both outputs of a program are kept apart, with its exit code', async () => {
  assert.deepEqual(await record('echo out; echo err >&2; echo more'), {
    ...{ good: true, exit_code: 0, stdout: 'out\nmore\n', stderr: 'err\n' },
  });
  const failed = await record('echo err >&2; exit 7');
  assert.deepEqual(failed, { good: false, exit_code: 7, stdout: '', stderr: 'err\nit ended with 7\n' });
});

test('A-057: what is wrong though all programs went well has an exit code of its own', async () => {
  const { exit_code: code, stderr } = await record('true', { problem: 'a file is missing' });
  assert.deepEqual([code, stderr], [1, 'a file is missing\n']);
});

test('A-063: a program that takes too long has the exit code 408', async () => {
  const { exit_code: code, good } = await record('sleep 30', { timeout: 200 });
  assert.deepEqual([code, good], [408, false]);
});
