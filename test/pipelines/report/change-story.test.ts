import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeHappening } from '../../../pipelines/model/change-history.ts';
import type { ChangeKnown, KnownBuild } from '../../../pipelines/report/change-known.ts';
import { type ChangeStory, changeStory } from '../../../pipelines/report/change-story.ts';

const change: ChangeKnown['change'] = {
  ...{ id: 'git:5', project: 'tinycdb', branch: 'master', patchset: 2, status: 'open', wip: false, votes: [] },
};

function known(given: Partial<ChangeKnown> = {}): ChangeKnown {
  const history = { merged: null, happenings: [], bases: [] };
  return { change, history, needs: [], places: [], builds: [], undelivered: [], obstacles: [], ...given };
}

function happening(given: Partial<ChangeHappening>): ChangeHappening {
  return { type: 'comment', time: 1, by: 'sluice', patchset: 2, text: null, votes: [], report: null, ...given };
}

function reported(action: string, text: string, pipeline = 'check'): Partial<ChangeKnown> {
  return { history: { merged: null, bases: [], happenings: [happening({ text, report: { pipeline, action } })] } };
}

const build: KnownBuild = {
  ...{ id: 'b1', pipeline: 'check', patchset: 2, buildSet: 'check-1.1', job: 'build-deb', attempt: 1 },
  ...{ voting: true, alone: false, result: 'FAILURE', summary: 'a.c:3: error: no such header' },
  startTime: 1,
};
const failed = 'Build failed.\n\n- build-deb FAILURE in 3s';

const place = {
  ...{ pipeline: 'gate', queue: 'packages', place: 2, length: 3, window: 20, active: true, state: 'running' },
  ...{ reason: '', ahead: ['git:4,1'], jobs: [] },
} as const;
const job = { name: 'build-deb', voting: true, result: null, summary: '', startTime: null, waiting: [] } as const;
const waiting = (...reasons: string[]) => ({ places: [{ ...place, ahead: [], jobs: [{ ...job, waiting: reasons }] }] });

const tables: readonly [
  says: string,
  given: Partial<ChangeKnown>,
  part: keyof ChangeStory,
  words: readonly RegExp[],
][] = [
  [
    'a configuration error with its file and line',
    reported(
      'config-error',
      'The configuration of this change cannot be used.\n\nzuul.yaml:3:1: unknown job x\n\nfooter',
    ),
    'why',
    [/^check: its configuration has an error: zuul\.yaml:3:1: unknown job x$/],
  ],
  [
    'a merge conflict with change and file',
    reported(
      'merge-conflict',
      'Merge Failed.\n\nThis change could not be merged.\n\ngit:5: conflicts in src/a.c\n\nfooter',
    ),
    'why',
    [/^check: it has a merge conflict: git:5: conflicts in src\/a\.c$/],
  ],
  [
    'a job that could not start',
    {
      ...reported('failure', failed),
      builds: [{ ...build, result: 'NODE_FAILURE', summary: 'no worker has debian-12' }],
    },
    'why',
    [/^check: build-deb could not be started .*no worker has debian-12 \(`sluice logs b1`\)$/],
  ],
  [
    'a job that never had a build',
    reported('failure', 'Build failed.\n\n- build-deb NODE_FAILURE: nobody serves label x\n- lint SUCCESS in 2s'),
    'why',
    [/^check: build-deb NODE_FAILURE: nobody serves label x$/],
  ],
  [
    'a dependency that was lost, whatever builds there were',
    {
      ...reported('failure', 'This change depends on git:4,1, which failed or cannot merge.', 'gate'),
      builds: [{ ...build, pipeline: 'gate' }],
    },
    'why',
    [/^gate: This change depends on git:4,1, which failed or cannot merge\.$/],
  ],
  [
    'a job that failed',
    { ...reported('failure', failed), builds: [build] },
    'why',
    [/build-deb failed: a\.c:3: error/],
  ],
  [
    'only what is about the current patch set',
    { ...reported('failure', failed), builds: [build], change: { ...change, patchset: 3 } },
    'why',
    [],
  ],
  [
    'no reason once a new run has begun',
    {
      history: {
        bases: [],
        merged: null,
        happenings: [
          happening({ text: failed, report: { pipeline: 'check', action: 'failure' } }),
          happening({ text: 'Starting check jobs.', report: { pipeline: 'check', action: 'start' } }),
        ],
      },
    },
    'why',
    [],
  ],
  [
    'a report that was given up',
    { undelivered: [{ pipeline: 'gate', reason: 'locked' }] },
    'why',
    [/gate was given up: locked/],
  ],
  [
    'a job that waits',
    { places: [{ ...place, jobs: [{ ...job, waiting: ['dependencies: lint, publish'] }] }] },
    'waitsFor',
    [/git:4,1 ahead/, /^gate: build-deb, which waits for lint and publish, which come first\.$/],
  ],
  [
    'a job that waits for a semaphore',
    waiting('semaphores: deploy'),
    'waitsFor',
    [/^gate: build-deb, which waits for the semaphore deploy, which other jobs hold\.$/],
  ],
  [
    'a job that waits for nodes',
    waiting('nodes: docker'),
    'waitsFor',
    [/^gate: build-deb, which waits for machines of docker, which other jobs have\.$/],
  ],
  [
    'a job that waits for a worker',
    waiting('a place on a worker'),
    'waitsFor',
    [/build-deb, which waits for a place on a worker\.$/],
  ],
  [
    'a job that waits for what another change provides, and for another job',
    waiting('requirements: lib, from build-deb of git:4', 'dependencies: lint'),
    'waitsFor',
    [/which waits for lib, from build-deb of git:4; lint, which comes first\.$/],
  ],
  ['that nothing need be done meanwhile', waiting('nodes: docker'), 'next', [/^Nothing: it goes on by itself\.$/]],
  [
    'a job that has failed while others run',
    {
      places: [
        {
          ...place,
          ...{ state: 'failing', reason: 'a job failed', ahead: [] },
          jobs: [
            { ...job, result: 'FAILURE', summary: 'a.c:3: no such header' },
            { ...job, name: 'lint', voting: false, result: 'FAILURE' },
            { ...job, name: 'build-rpm', startTime: 1 },
          ],
        },
      ],
    },
    'why',
    [/^gate: build-deb has ended with FAILURE: a\.c:3: no such header\.$/],
  ],
  [
    'what to do once a job has failed',
    { places: [{ ...place, state: 'failing', jobs: [{ ...job, result: 'FAILURE' }] }] },
    'next',
    [/^Nobody waits for the rest: mend it, then `git commit --amend` and `git push origin HEAD:refs\/for\/master`\.$/],
  ],
  [
    'the change that it needs and that failed',
    { places: [{ ...place, state: 'failing', reason: 'This change depends on git:4, which failed or cannot merge.' }] },
    'next',
    [/^Look at git:4 first/, /^This change is not at fault/],
  ],
  [
    'what keeps it from another pipeline meanwhile',
    {
      places: [{ ...place, pipeline: 'check', ahead: [], jobs: [{ ...job, startTime: 1 }] }],
      obstacles: [{ pipeline: 'gate', reason: 'it has no vote Verified 1', latest: true }],
    },
    'waitsFor',
    [/^check: build-deb, which runs\.$/, /^gate does not take it: it has no vote Verified 1\.$/],
  ],
  [
    'what mends it instead of another try, where that would come to the same',
    { obstacles: [{ pipeline: 'check', reason: 'no job is for it', latest: true, cure: 'Give it the job `noop`.' }] },
    'next',
    [/^Give it the job `noop`\.$/],
  ],
  [
    'how to say that it is ready, while check tries it',
    { change: { ...change, wip: true }, places: [{ ...place, pipeline: 'check' }] },
    'next',
    [/%ready` says that it is ready\.$/],
  ],
  [
    'no vote that is there',
    {
      ...reported('success', 'Build succeeded.'),
      change: { ...change, votes: [{ label: 'Approved', value: 1, by: 'bob', time: 1 }] },
    },
    'next',
    [],
  ],
  [
    'a place outside the window',
    { places: [{ ...place, active: false, ahead: [] }] },
    'waitsFor',
    [/20 items at a time/],
  ],
  [
    'a needed change that is open',
    { needs: [{ id: 'git:4', subject: 'Add x', status: 'open' }], ...reported('success', '') },
    'waitsFor',
    [/^git:4 \(Add x\), which is not merged yet/, /nobody has approved/],
  ],
  [
    'a needed change that nobody knows',
    { needs: [{ id: 'I9', subject: '', status: 'unknown' }], ...reported('failure', '') },
    'waitsFor',
    [/^I9, which is not known here/],
  ],
  [
    'who voted against it',
    { change: { ...change, votes: [{ label: 'Approved', value: -1, by: 'bob', time: 1 }] } },
    'waitsFor',
    [/^bob, who voted Approved -1/],
  ],
  [
    'how to mend a conflict',
    reported('merge-conflict', 'x\n\ngit:5: conflicts in a'),
    'next',
    [/git pull --rebase origin master/],
  ],
  [
    'that it is not at fault',
    { ...reported('failure', failed), builds: [{ ...build, result: 'RETRY_LIMIT' }] },
    'next',
    [/not at fault\. `sluice recheck git:5`/],
  ],
  [
    'that a build which took more disk than it may is to be mended',
    { ...reported('failure', failed), builds: [{ ...build, result: 'DISK_FULL' }] },
    'next',
    [/^Mend it/, /^Where the change is not at fault/],
  ],
  [
    'how to try another pipeline again',
    reported('failure', 'This change depends on x.', 'gate'),
    'next',
    [/`sluice enqueue --pipeline gate --change git:5`/],
  ],
  ['how to open it again', { change: { ...change, status: 'abandoned' } }, 'next', [/sluice restore git:5/]],
];
for (const [says, given, part, words] of tables) {
  test(`B1: a change's story tells ${says}`, () => {
    const told = [changeStory(known(given))[part]].flat();
    assert.equal(told.length, words.length, told.join('\n'));
    for (const [index, pattern] of words.entries()) assert.match(told[index] ?? '', pattern);
  });
}

test('W11: what it waits for names the pipeline that does not take it, and the older patch set that it stands on', () => {
  const { waitsFor } = changeStory(
    known({
      history: { merged: null, happenings: [], bases: [{ id: 'git:4', patchset: 1, current: 2 }] },
      needs: [{ id: 'git:4', subject: 'First', status: 'open' }],
      obstacles: [{ pipeline: 'gate', reason: 'git:4 of tinycdb has no vote Approved 1', latest: true }],
    }),
  );
  assert.deepEqual(waitsFor.slice(0, 3), [
    'gate does not take it: git:4 of tinycdb has no vote Approved 1.',
    'It is based on git:4,1, the current patch set is 2: rebase it.',
    'git:4 (First), which is not merged yet.',
  ]);
});

const states: readonly [given: Partial<ChangeKnown>, state: string][] = [
  [
    { change: { ...change, status: 'merged' }, history: { merged: 'a'.repeat(40), happenings: [], bases: [] } },
    `Merged into master as ${'a'.repeat(12)}.`,
  ],
  [
    {
      change: { ...change, status: 'abandoned' },
      history: { merged: null, bases: [], happenings: [happening({ type: 'abandoned', by: 'ada' })] },
    },
    'Abandoned by ada.',
  ],
  [{ places: [place] }, 'In gate, number 2 of 3 items in the queue packages: running.'],
  [{ change: { ...change, wip: true } }, 'Work in progress: no gate takes it.'],
  [{}, 'Open; no pipeline has reported on patch set 2.'],
  [reported('success', 'Build succeeded.'), 'Open; check succeeded.'],
  [reported('config-error', 'x'), 'Open; check could not use its configuration.'],
];
for (const [given, state] of states) {
  test(`B1: the first sentence is: ${state}`, () => assert.equal(changeStory(known(given)).state, state));
}

test('what a pipeline said no to has its remedy also where another one has said yes since, or is at work', () => {
  const text = 'Not enqueued in gate.\n\ngit:5 of a depends on git:4 of b, but the two projects do not share a queue.';
  const no = happening({ time: 1, text, report: { pipeline: 'gate', action: 'failure' } });
  const yes = happening({ time: 2, text: 'Build succeeded.', report: { pipeline: 'check', action: 'success' } });
  const history = { merged: null, bases: [], happenings: [no, yes] };
  const wanted =
    /^Merge git:4 first, or let the two projects share a queue[\s\S]*`sluice enqueue --pipeline gate --change git:5`/;
  assert.match(changeStory(known({ history })).next.join('\n'), wanted);
  const places = [{ ...place, pipeline: 'check', ahead: [], jobs: [job] }];
  const obstacles = [{ pipeline: 'gate', reason: 'the two projects do not share a queue', latest: true }];
  assert.match(changeStory(known({ history, places, obstacles })).next.join('\n'), wanted);
  assert.deepEqual(changeStory(known({ history, places })).next, ['Nothing: it goes on by itself.']);
});

test('who acts at another review system is sent there, and to no command', () => {
  const elsewhere = 'https://review.example.org/c/tinycdb/+/5';
  const at = (given: Partial<ChangeKnown>) => {
    const { history } = known(given);
    return changeStory(known({ ...given, history: { ...history, elsewhere } })).next;
  };
  const again = `A comment \`recheck\` at ${elsewhere} runs it again.`;
  assert.deepEqual(at({}), [again]);
  assert.deepEqual(at(reported('success', 'Build succeeded.')), [`Vote for it at ${elsewhere}.`]);
  const failure = { ...reported('failure', failed), builds: [build] };
  assert.deepEqual(at(failure), ['Mend it, then push it again.', `Where the change is not at fault: ${again}`]);
  assert.deepEqual(at({ change: { ...change, wip: true } }), [`Say at ${elsewhere} that it is ready.`]);
  assert.deepEqual(at({ change: { ...change, status: 'abandoned' } }), [`It can be opened again at ${elsewhere}.`]);
});

test('of plain Git, where nobody has a page, the notes are named that vote and run it again', () => {
  const at = (given: Partial<ChangeKnown>) => {
    const { history } = known(given);
    return changeStory(known({ ...given, history: { ...history, notesOn: 'c0ffee' } })).next;
  };
  const note = (text: string) =>
    `\`git notes --ref=votes/NAME append -m ${text} c0ffee\`, with \`git push origin refs/notes/votes/NAME\`,`;
  const again = `${note('recheck')} runs it again.`;
  assert.deepEqual(at({}), [again]);
  assert.deepEqual(at(reported('success', 'Build succeeded.')), [`${note("'Approved: +1'")} votes for it.`]);
  const failure = { ...reported('failure', failed), builds: [build] };
  assert.deepEqual(at(failure), ['Mend it, then push it again.', `Where the change is not at fault: ${again}`]);
  assert.deepEqual(at({ change: { ...change, status: 'abandoned' } }), ['Pushing its branch again opens it again.']);
});

const inferred: readonly [says: string, builds: readonly Partial<KnownBuild>[], state: string][] = [
  ['a failure', [{}, { job: 'lint', result: 'SUCCESS' }], 'Open; check failed.'],
  ['a success', [{ voting: false }, { job: 'lint', result: 'SUCCESS' }], 'Open; check succeeded.'],
  ['that it was let go', [{ result: 'CANCELED' }, { result: 'SUCCESS' }], 'Open; check let it go before it was done.'],
  [
    'the last attempt',
    [
      { job: 'unit', attempt: 2, result: 'SUCCESS' },
      { job: 'unit', result: 'RETRY' },
    ],
    'Open; check succeeded.',
  ],
  ['the newest run', [{ buildSet: 'check-2.1', result: 'SUCCESS' }, {}], 'Open; check succeeded.'],
  ['nothing while it runs', [{ result: null }], 'Open; no pipeline has reported on patch set 2.'],
  ['nothing of an older patch set', [{ patchset: 1 }], 'Open; no pipeline has reported on patch set 2.'],
  ['nothing of a job that ran alone', [{ alone: true }], 'Open; no pipeline has reported on patch set 2.'],
  [
    'the newest of two pipelines',
    [{ startTime: 5 }, { pipeline: 'gate', buildSet: 'gate-1.1', startTime: 9, result: 'CANCELED' }],
    'Open; gate let it go before it was done.',
  ],
];
for (const [says, builds, state] of inferred) {
  test(`where a host does not tell what a pipeline said, its builds tell ${says}`, () => {
    const jobs = builds.map((given, at) => ({ ...build, job: `job-${at}`, ...given }));
    assert.equal(changeStory(known({ builds: jobs })).state, state);
  });
}

test('a failure that only builds tell of is explained by them', () => {
  const story = changeStory(known({ builds: [build] }));
  assert.deepEqual(story.why, ['check: build-deb failed: a.c:3: error: no such header (`sluice logs b1`)']);
  assert.match(story.next[0] ?? '', /^Mend it, then/);
});

test('of a change that somebody took out it is told who did, and how it comes in again', () => {
  const story = changeStory(known(reported('dequeue', 'Taken out of gate by root.', 'gate')));
  assert.equal(story.state, 'Open; gate let it go before it was done.');
  assert.deepEqual(story.why, ['gate: Taken out of gate by root.']);
  assert.deepEqual(story.next, ['`sluice enqueue --pipeline gate --change git:5` tries it again.']);
});
