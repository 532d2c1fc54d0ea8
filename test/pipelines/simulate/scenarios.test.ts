import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseScenario, simulate } from '../../../pipelines/simulate/simulate.ts';

const folder = join(import.meta.dirname, '../../scenarios');

describe('every scenario file holds what it expects', () => {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.yaml')) continue;
    test(name, () => {
      const parsed = parseScenario(readFileSync(join(folder, name), 'utf8'), name);
      assert.ok('scenario' in parsed, 'problems' in parsed ? JSON.stringify(parsed.problems) : '');
      assert.ok(parsed.scenario.expect, 'the scenario expects nothing');
      const { failures } = simulate(parsed.scenario);
      assert.deepEqual(failures, []);
    });
  }
});
