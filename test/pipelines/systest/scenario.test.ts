import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseScenario } from '../../../pipelines/systest/scenario.ts';

const step = (within: string, timeout: string) =>
  parseScenario('a.yaml', `steps: [{on: server, run: "true", within: ${within}, timeout: ${timeout}}]\n`, ['server']);

test('F9: times of a step are written as those of a job', () => {
  for (const [written, seconds] of [
    ['10', 10],
    ['0.5', 0.5],
    ['90s', 90],
    ['2m', 120],
  ] as const) {
    const read = step(written, written);
    assert.ok(read.ok, JSON.stringify(read));
    const [first] = read.scenario.steps;
    assert.deepEqual([first?.within, first?.timeout], [seconds, seconds]);
  }
  const read = step('soon', '0s');
  assert.deepEqual(read.ok ? [] : read.problems.map((one) => one.replace(/: (Invalid|Too).*/, '')), [
    'a.yaml:1:43: steps.0.within',
    'a.yaml:1:58: steps.0.timeout',
  ]);
});
