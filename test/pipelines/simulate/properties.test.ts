import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseScenario, simulate } from '../../../pipelines/simulate/simulate.ts';
import { Invariants } from './invariants.ts';
import { type Model, models, scenarioFile, scenarioText } from './random-scenario.ts';

const wantedSteps = 100_000;
const batch = 200;

test('what must never be never is, in 100,000 random steps', { timeout: 240_000 }, () => {
  let steps = 0;
  for (let seed = 1; steps < wantedSteps; seed += 1) {
    const details = fc.check(
      fc.property(models, (model) => {
        steps += play(model);
      }),
      { numRuns: batch, seed },
    );
    if (details.failed) assert.fail(explain(details.counterexample?.[0], details.errorInstance));
  }
});

test('the same scenario gives the same result', () => {
  fc.assert(
    fc.property(models, (model) => {
      assert.deepEqual(simulate(scenarioOf(model)), simulate(scenarioOf(model)));
    }),
    { numRuns: 20, seed: 1 },
  );
});

function play(model: Model): number {
  const invariants = new Invariants();
  simulate(scenarioOf(model), { watch: invariants.watch });
  invariants.finish();
  return invariants.steps;
}

function scenarioOf(model: Model) {
  const parsed = parseScenario(scenarioText(model), 'random.yaml');
  assert.ok('scenario' in parsed, 'problems' in parsed ? JSON.stringify(parsed.problems) : '');
  return parsed.scenario;
}

/** Writes the smallest failing scenario to a file, for `sluice simulate`, and says where. */
function explain(model: Model | undefined, error: unknown): string {
  if (!model) return String(error);
  const file = join(mkdtempSync(join(tmpdir(), 'sluice-scenario-')), 'failure.yaml');
  writeFileSync(file, scenarioFile(model));
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${reason}\nsmallest scenario: ${file}`;
}
