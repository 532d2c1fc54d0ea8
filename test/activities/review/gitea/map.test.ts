import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { approvals, toChange, toEvent } from '../../../../activities/review/gitea/map.ts';
import { parsePullName } from '../../../../activities/review/gitea/names.ts';
import { happeningSchema, pullSchema, reviewSchema } from '../../../../activities/review/gitea/schema.ts';
import { readMark, withMark } from '../../../../activities/review/mark.ts';

const site = { connection: 'tea', url: 'https://forge.example.org/gitea' };
const head = 'a'.repeat(40);
const base = { ref: 'master', repo: { full_name: 'team/tool' } };
const raw = { number: 7, user: { login: 'ada' }, title: 'T', body: '', state: 'open', base, head: { sha: head } };
const pullOf = (more: object) => pullSchema.parse({ ...raw, html_url: `${site.url}/team/tool/pulls/7`, ...more });
const name = { project: 'team/tool', number: 7 };
const changeOf = (more: object) =>
  toChange(site, { name, pull: pullOf(more), head, patchset: 1, since: 5_000, files: [], reviews: [], timeline: [] });

const names: readonly (readonly [text: string, project: string | null])[] = [
  ['team/tool#7', 'team/tool'],
  ['tea:team/tool#7', 'team/tool'],
  ['https://forge.example.org/gitea/team/tool/pulls/7', 'team/tool'],
  ['http://forge.example.org/gitea/team/tool/pulls/7', 'team/tool'],
  ['https://forge.example.org/gitea/team/tool/pulls/7/files', 'team/tool'],
  ['https://forge.example.org/gitea/team/tool/pulls/7/commits/abc', 'team/tool'],
  ['https://forge.example.org/gitea/team/tool/pulls/7#issuecomment-12', 'team/tool'],
  ['https://forge.example.org/gitea/team/tool/issues/7', 'team/tool'],
  ['https://forge.example.org/gitea/team/tool/pulls/7.diff', 'team/tool'],
  ['https://forge.example.org/gitea/api/v1/repos/team/tool/pulls/7', 'team/tool'],
  ['HTTPS://Forge.example.org/gitea/team/tool/pulls/7', 'team/tool'],
  ['https://forge.example.org/team/tool/pulls/7', null],
  ['https://forge.example.org.evil.example/gitea/team/tool/pulls/7', null],
  ['https://forge.example.org/gitea/team/tool/pulls/7x', null],
  ['other:team/tool#7', null],
  ['team/tool#0', null],
  ['team/tool#07', null],
  ['team/tool!7', null],
  ['team/a/tool#7', null],
  ['../tool#7', null],
  ['team/..#7', null],
  ['team/to ol#7', null],
  ['team/tool#7\n', null],
  ['7', null],
  ['', null],
  ['#7', null],
];

for (const [text, project] of names) {
  test(`${JSON.stringify(text)} names ${project ?? 'nothing here'}`, () => {
    assert.deepEqual(parsePullName(text, site), project === null ? null : { project, number: 7 });
  });
}

test('no text breaks the reading of names', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const found = parsePullName(text, site);
      assert.ok(found === null || /^[\w.+-]+\/[\w.+-]+$/.test(found.project));
    }),
  );
  assert.equal(parsePullName(`${site.url}/${'a/'.repeat(5_000_000)}`, site), null);
});

test('a pull request is a change, its description the message', () => {
  const change = changeOf({ title: 'Mend it', body: 'Because.\r\n\r\nDepends-On: team/other#3\r\n' });
  assert.deepEqual([change.id, change.key, change.ref], ['tea:team/tool#7', 'tea:team/tool#7,1', 'refs/pull/7/head']);
  assert.deepEqual([change.subject, change.message], ['Mend it', 'Mend it\n\nBecause.\n\nDepends-On: team/other#3\n']);
  assert.deepEqual(change.dependsOn, ['tea:team/other#3']);
});

test('Depends-On names changes of this host and of others, each once', () => {
  const body = [
    ...['Depends-On: https://forge.example.org/gitea/a/b/pulls/1', 'depends-on: tea:a/b#1', 'Depends-On: a/c#2'],
    'Depends-On: https://review.example.org/c/x/+/5',
  ].join('\n');
  assert.deepEqual(changeOf({ body }).dependsOn, ['tea:a/b#1', 'tea:a/c#2', 'https://review.example.org/c/x/+/5']);
});

const states: readonly (readonly [more: object, status: string, wip: boolean, mergeable: boolean])[] = [
  [{}, 'open', false, true],
  [{ draft: true }, 'open', true, false],
  [{ state: 'closed' }, 'abandoned', false, false],
  [{ state: 'closed', merged: true, merge_commit_sha: head }, 'merged', false, false],
];
for (const [more, status, wip, mergeable] of states) {
  test(`${JSON.stringify(more)} is ${status}`, () => {
    const change = changeOf(more);
    assert.deepEqual([change.status, change.wip, change.mergeable], [status, wip, mergeable]);
  });
}

test('hostile texts stay text, whole and bounded', () => {
  const title = '<script>alert(1)</script>\u0000\ud800';
  const body = `${'x'.repeat(10_000_000)}\n../../etc\n<b>\ud800\nDepends-On: ../../secret#1\nDepends-On: \u202e`;
  const change = changeOf({ title, body, user: { login: '../<b>\n\ud800' }, labels: [{ id: 1, name: '\ud800<i>' }] });
  assert.ok(change.message.length <= 64 * 1024);
  assert.ok(JSON.stringify(change).isWellFormed());
  for (const text of [change.subject, change.owner, change.labels?.[0]]) assert.ok(text?.isWellFormed());
  assert.deepEqual(change.dependsOn, ['../../secret#1', '\u202e']);
  const many = Array.from({ length: 5_000 }, (_, index) => `Depends-On: a/b#${index + 1}`).join('\n');
  assert.equal(changeOf({ body: many }).dependsOn.length, 100);
});

const reviewOf = (user: string, state: string, more: object = {}) =>
  reviewSchema.parse({ id: 1, user: { login: user }, state, official: true, commit_id: head, ...more });

const reviews: readonly (readonly [says: string, reviews: ReturnType<typeof reviewOf>[], votes: [string, number][]])[] =
  [
    ['an approval', [reviewOf('bob', 'APPROVED')], [['bob', 1]]],
    ['a refusal', [reviewOf('bob', 'REQUEST_CHANGES')], [['bob', -1]]],
    ['a change of mind', [reviewOf('bob', 'REQUEST_CHANGES'), reviewOf('bob', 'APPROVED')], [['bob', 1]]],
    ['a comment after it', [reviewOf('bob', 'APPROVED'), reviewOf('bob', 'COMMENT')], [['bob', 1]]],
    ['one of somebody whose word does not count', [reviewOf('eve', 'APPROVED', { official: false })], []],
    ['one of another head', [reviewOf('bob', 'APPROVED', { commit_id: 'b'.repeat(40) })], []],
    ['one that was taken back', [reviewOf('bob', 'APPROVED', { dismissed: true })], []],
    [
      'two people',
      [reviewOf('bob', 'APPROVED'), reviewOf('eve', 'REQUEST_CHANGES')],
      [
        ['bob', 1],
        ['eve', -1],
      ],
    ],
  ];
for (const [says, given, votes] of reviews) {
  test(`votes by ${says}`, () => {
    assert.deepEqual(
      approvals(given, head).map(({ by, value }) => [by, value]),
      votes,
    );
  });
}

const place = { site, name, pull: pullOf({}), self: 'sluice-bot' };
const eventOf = (more: object, user = 'ada') => {
  const happening = { id: 1, created_at: '2026-11-27T12:00:00Z', user: { login: user }, ...more };
  return toEvent(place, happeningSchema.parse(happening), [reviewOf('bob', 'APPROVED')]);
};

test('a label is of the head that it was given to, and never a vote', () => {
  const labels = ['gate', 'approved', 'back'].map((name, index) => ({ id: index + 1, name }));
  const given = (name: string, at: number, body = '1') =>
    happeningSchema.parse({
      id: at,
      type: 'label',
      user: null,
      body,
      label: { id: 1, name },
      created_at: new Date(at * 1_000).toISOString(),
    });
  const timeline = [given('gate', 4), given('approved', 5), given('back', 4), given('back', 5, ''), given('back', 6)];
  const facts = { name, pull: pullOf({ labels }), head, patchset: 2, since: 5_000, files: [], reviews: [], timeline };
  const { votes, labels: all, currentLabels } = toChange(site, facts);
  // What was given in the second in which the head was seen may have been given before it came.
  assert.deepEqual([votes, all, currentLabels], [[], ['gate', 'approved', 'back'], ['back']]);
});

test('an approval and a label are of the way to the branch that they were given for', () => {
  const given = Date.parse('2026-11-27T12:00:00Z');
  const more = { submitted_at: new Date(given).toISOString() };
  const reviews = [reviewOf('bob', 'APPROVED', more), reviewOf('eve', 'REQUEST_CHANGES', more)];
  const at = (type: string, time: number, more: object = {}) => {
    const created_at = new Date(time).toISOString();
    return happeningSchema.parse({ id: time, type, user: null, created_at, ...more });
  };
  const label = { id: 1, name: 'gate' };
  const pull = pullOf({ labels: [label] });
  const put = at('label', given, { body: '1', label });
  const read = (moved: number) => {
    const timeline = [put, at('change_target_branch', moved)];
    const facts = { name, pull, head, patchset: 1, since: 0, files: [], reviews, timeline };
    const { votes, currentLabels } = toChange(site, facts);
    return [votes.map(({ by }) => by), currentLabels];
  };
  assert.deepEqual(read(given - 1), [['bob', 'eve'], ['gate']]);
  assert.deepEqual(read(given), [['eve'], []]);
});

test('labels that are put on and taken off', () => {
  const label = { id: 1, name: 'gate' };
  const [on, off] = [eventOf({ type: 'label', body: '1', label }), eventOf({ type: 'label', body: '', label })];
  assert.deepEqual([on?.action, on?.labels, off?.action, off?.unlabels], ['labeled', ['gate'], 'unlabeled', ['gate']]);
});

test('what Sluice itself says is a report, which triggers nothing; its merge is a merge', () => {
  const comment = eventOf({ type: 'comment', body: 'recheck' }, 'sluice-bot');
  assert.deepEqual([comment?.type, comment?.action, comment?.comment], ['report', undefined, 'recheck']);
  const label = eventOf({ type: 'label', body: '1', label: { id: 1, name: 'gate' } }, 'sluice-bot');
  assert.deepEqual([label?.type, label?.action], ['report', undefined]);
  const review = eventOf({ type: 'review', review_id: 1 }, 'sluice-bot');
  assert.equal(review?.type, 'report');
  const merge = eventOf({ type: 'merge_pull' }, 'sluice-bot');
  assert.deepEqual([merge?.type, merge?.action], ['gitea_pull_request', 'merged']);
});

test('kinds of entries that nobody waits for are left out', () => {
  for (const type of ['assignees', 'milestone', 'lock', 'commit_ref', 'pull_push', 'toString', 'constructor']) {
    assert.equal(eventOf({ type }), null, type);
  }
});

test('the mark of a comment is read back, and one in the middle is text', () => {
  const text = 'Failed.\n\n<!-- sluice abc def -->\n\nmore';
  const marked = withMark(text, { about: 'aa', keys: ['01', '02'] });
  assert.deepEqual(readMark(marked), { about: 'aa', keys: ['01', '02'] });
  const word = { pipeline: 'check --> ü', action: 'success', patchset: 2 };
  assert.deepEqual(readMark(withMark(text, { about: 'aa', keys: ['01'], word }))?.word, word);
  assert.equal(readMark(text), null);
  const key = '0123456789abcdef';
  for (const older of [`${key}0123`, `${key}0123:${key}0123:begun`]) {
    assert.deepEqual(readMark(`${text}\n\n<!-- sluice:${older} -->`)?.keys, [key], 'as GitHub once had it');
  }
  assert.equal(eventOf({ type: 'comment', body: marked })?.comment, text);
});
