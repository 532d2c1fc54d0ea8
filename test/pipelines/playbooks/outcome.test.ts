import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PlaybookRun, playbookFault, playbookLate, unmatchedPlays } from '../../../pipelines/playbooks/outcome.ts';

const well = { prompts: [], plays: 1, unmatched: [], failed: [] };
const run = {
  path: 'site.yaml',
  root: '/sources/lib/alpha',
  hosts: ['node'],
  code: 0,
  output: '',
  record: JSON.stringify(well),
};
const told = (more: object) => JSON.stringify({ ...well, ...more });
const failed = {
  task: 'web : start',
  path: '/sources/lib/alpha/roles/web/tasks/main.yml:7',
  host: 'node',
  message: 'no\n  port',
};

const older = `ERROR! couldn't resolve module/action 'nope'. This often indicates a misspelling.

The error appears to be in '/sources/lib/alpha/site.yaml': line 3, column 7, but may
be elsewhere in the file depending on the exact syntax problem.
`;
const newer = `[WARNING]: something
[ERROR]: couldn't resolve module/action 'nope'. This often indicates a misspelling.
Origin: /sources/lib/alpha/site.yaml:3:7

1 - hosts: all
`;
const misspelt =
  /^site.yaml: site.yaml:3:7: couldn't resolve module\/action 'nope'. This often indicates a misspelling.$/;

const rows: readonly [says: string, more: Partial<PlaybookRun>, result: string, summary: RegExp][] = [
  [
    'a failed task',
    { code: 2, record: told({ failed: [failed] }) },
    'FAILURE',
    /^site.yaml: the task "web : start" \(roles\/web\/tasks\/main.yml:7\) failed: no port$/,
  ],
  [
    'a task that wants to be somebody else',
    { code: 2, record: told({ failed: [{ ...failed, message: 'MODULE FAILURE: /bin/sh: 1: sudo: not found' }] }) },
    'FAILURE',
    /sudo: not found; tasks run as they are: there is no become on the nodes of jobs$/,
  ],
  [
    'a pause that asks',
    { code: 3, record: told({ asking: { task: 'Go on', path: '/sources/lib/alpha/site.yaml:4' } }) },
    'ERROR',
    /^site.yaml: the task "Go on" \(site.yaml:4\) asks for something \(pause\), and nobody answers: give it "seconds"$/,
  ],
  [
    'the last of several, and its host',
    {
      code: 2,
      hosts: ['node', 'other'],
      record: told({ failed: [failed, { ...failed, task: 'last', host: 'other' }] }),
    },
    'FAILURE',
    /"last" \(roles.* on other\) failed/,
  ],
  [
    'an unreachable host, whose status is that of an unreadable playbook',
    { code: 4, record: told({ failed: [failed] }) },
    'FAILURE',
    /"web : start"/,
  ],
  ['an unreadable playbook, as ansible-core 2.14 says it', { code: 4, output: older, record: '' }, 'ERROR', misspelt],
  ['the same, as 2.19 says it', { code: 4, output: newer, record: '' }, 'ERROR', misspelt],
  [
    'one that is not there',
    { code: 1, output: 'ERROR! the playbook: x.yaml could not be found\n', record: '' },
    'ERROR',
    /^site.yaml: the playbook: x.yaml could not be found$/,
  ],
  [
    'a role that is included and not there',
    { code: 2, output: `PLAY [all]\n${older}\nPLAY RECAP\n` },
    'FAILURE',
    misspelt,
  ],
  [
    'an end without a word',
    { code: 250, output: 'Killed\n', record: '' },
    'ERROR',
    /^site.yaml: ansible-playbook ended with 250$/,
  ],
  [
    'a question',
    { code: 3, record: told({ plays: 0, prompts: ['release', 'key'] }) },
    'ERROR',
    /^site.yaml asks for release, key \(vars_prompt\)/,
  ],
  [
    'plays for nobody',
    { record: told({ plays: 2, unmatched: ['web', 'db'] }) },
    'FAILURE',
    /^site.yaml: nothing was run: no host of node is among "hosts: web", "hosts: db"$/,
  ],
  ['no play at all', { record: told({ plays: 0 }) }, 'FAILURE', /nothing was run/],
  ['success of which nothing is left', { record: '' }, 'ERROR', /what came of it was not left to be read/],
  ['the same with something else in its place', { record: '{"plays": "many"}' }, 'ERROR', /was not left to be read/],
];

for (const [says, more, result, summary] of rows) {
  test(says, () => {
    const fault = playbookFault({ ...run, ...more });
    assert.equal(fault?.result, result);
    assert.match(fault?.summary ?? '', summary);
  });
}

test('a playbook that ended well has no fault, also when tasks had failed that were rescued', () => {
  assert.equal(playbookFault(run), undefined);
  assert.equal(playbookFault({ ...run, record: told({ failed: [failed] }) }), undefined);
  assert.equal(playbookFault({ ...run, record: told({ plays: 2, unmatched: ['web'] }) }), undefined);
});

test('a reason is one line of bounded length', () => {
  const summary = playbookFault({
    ...run,
    code: 2,
    record: told({ failed: [{ ...failed, message: 'x\n'.repeat(999) }] }),
  })?.summary;
  assert.equal(summary?.length, 300);
  assert.doesNotMatch(summary ?? '', /\n/);
});

test('plays for nobody are remarks where others ran', () => {
  assert.deepEqual(unmatchedPlays({ path: 'a.yaml', record: told({ plays: 2, unmatched: ['web'] }) }), [
    'a.yaml: no host is among "hosts: web"',
  ]);
  assert.deepEqual(unmatchedPlays({ path: 'a.yaml', record: told({ unmatched: ['web'] }) }), []);
});

test('what was not done in time is told with the task that it was in, where that is known', () => {
  const now = { task: 'web : start', path: '/sources/lib/alpha/roles/web/tasks/main.yml:7' };
  const where = 'it was in the task "web : start" (roles/web/tasks/main.yml:7)';
  assert.equal(playbookLate({ ...run, record: told({ now }) }), `site.yaml was not done in time: ${where}`);
  assert.equal(playbookLate({ ...run, record: '' }), 'site.yaml was not done in time');
});
