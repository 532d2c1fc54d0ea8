import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readJobTests } from '../../../pipelines/test-service/job-tests.ts';

for (const [value, expected] of [
  [undefined, []],
  [[{ project: 'qa/tests' }], [{ project: 'qa/tests', directory: '', only: [], except: [] }]],
  [
    [{ project: 'own', directory: 'a/b', only: ['one'], except: ['two'] }],
    [{ project: 'own', directory: 'a/b', only: ['one'], except: ['two'] }],
  ],
  ['all', /^vars\.tests: /],
  [[{ url: 'https://example.org/tests' }], /^vars\.tests\.0/],
  [[{ project: 'own', directory: 'a/../../b' }], /^vars\.tests\.0\.directory: must be a folder inside the project$/],
  [[{ project: 'own', directory: '/etc' }], /^vars\.tests\.0\.directory: must be/],
  [[{ project: 'own' }, { project: 'qa/more' }], /^vars\.tests\.1\.project: qa\/more is not among the job's required/],
] as const) {
  test(`tests that a job names: ${JSON.stringify(value)}`, () => {
    const read = readJobTests(value, ['own', 'qa/tests']);
    if (expected instanceof RegExp) assert.match(read.ok ? 'good' : read.problem, expected);
    else assert.deepEqual(read, { ok: true, tests: expected });
  });
}
