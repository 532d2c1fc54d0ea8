import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEvents } from '../../../activities/review/gerrit/events.ts';
import { changeSchema as gerritSchema } from '../../../activities/review/gerrit/schema.ts';
import { readHistory } from '../../../activities/review/gitea/history.ts';
import * as gitea from '../../../activities/review/gitea/schema.ts';
import { noticePull, noticeTimeline } from '../../../activities/review/github/history.ts';
import { createWebhook } from '../../../activities/review/github/ingest.ts';
import * as github from '../../../activities/review/github/schema.ts';
import { happenings } from '../../../activities/review/gitlab/history.ts';
import * as gitlab from '../../../activities/review/gitlab/schema.ts';
import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import { taken } from '../layout/shipped-pipelines.ts';

/**
 * What adapters make of what people do, put to the pipelines that are shipped: neither half may leave the other. What is no
 * wish is news of the change's state all the same (`state`): whether it is ready for the gate is looked at then.
 */

type Made = (told: never) => readonly TriggerEvent[] | Promise<readonly TriggerEvent[]>;
type Row = readonly [does: string, told: unknown, expected: string];

function check(host: string, made: Made, rows: readonly Row[]): void {
  for (const [does, told, expected] of rows) {
    test(`${host}: ${does} starts ${expected || 'nothing'}`, async () => {
      const events = await made(told as never);
      const names = new Set(events.flatMap((event) => taken(event).split(' ')));
      assert.equal([...names].filter(Boolean).sort().join(' '), expected === 'state' ? '' : expected);
      assert.ok(events.length > 0 || expected !== 'state', 'nobody hears of it');
    });
  }
}

const at = '2026-11-29T08:00:00Z';
const later = '2026-11-29T08:00:05Z';
const [sha, sha2] = ['a'.repeat(40), 'b'.repeat(40)];
const ada = { login: 'ada' };

const hook = createWebhook({
  connection: 'app',
  settings: { driver: 'github', url: 'https://h', app: { id: 1, key: { env: 'K' } }, webhookSecret: { env: 'H' } },
  readSecret: async () => 's',
});
const repository = { full_name: 'acme/tool' };
const posted = ([kind, content]: readonly [string, object]) => {
  const reading = hook?.read(
    { 'x-github-event': kind, 'x-github-delivery': 'd' },
    { repository, sender: ada, ...content },
  );
  const news = reading?.kind === 'occurrence' ? reading.occurrence.news : [];
  return news.flatMap((one) => (one.kind === 'event' ? [one.event] : []));
};
const [ours, others] = [
  { name: 'sluice/check', head_sha: sha, conclusion: 'failure', completed_at: at, app: { id: 1, slug: 'gate' } },
  { name: 'unit', head_sha: sha, conclusion: 'success', completed_at: at, app: { id: 2, slug: 'ci' } },
];
const suite = { head_sha: sha, conclusion: 'failure', updated_at: at, app: ours?.app };

check('GitHub', posted, [
  ['the button of a failed check', ['check_run', { action: 'rerequested', check_run: ours }], 'check'],
  [
    'the button of a failed gate',
    ['check_run', { action: 'rerequested', check_run: { ...ours, name: 'sluice/gate' } }],
    'gate',
  ],
  ['the button of the whole suite', ['check_suite', { action: 'rerequested', check_suite: suite }], 'check gate'],
  ["the end of somebody's check", ['check_run', { action: 'completed', check_run: others }], 'state'],
  ["somebody's status", ['status', { sha, context: 'jenkins', state: 'success', updated_at: at }], 'state'],
  ["Sluice's own status", ['status', { sha, context: 'sluice/check', state: 'success' }], ''],
  [
    'a thread that is resolved',
    ['pull_request_review_thread', { action: 'resolved', pull_request: { number: 7, updated_at: at } }],
    'state',
  ],
]);

const pullOf = (more: object) =>
  github.pullSchema.parse({
    ...{ number: 7, state: 'open', title: 'T', body: '', draft: false, html_url: 'https://h/7', user: ada, labels: [] },
    ...{
      created_at: at,
      updated_at: later,
      merged: false,
      mergeable: true,
      mergeable_state: 'clean',
      changed_files: 1,
    },
    head: { ref: 'topic', sha },
    base: { ref: 'main', sha: sha2, repo: repository },
    ...more,
  });
const scene = { connection: 'hub', project: 'acme/tool', pull: pullOf({}), self: 'sluice' };
const first = noticePull([], scene);
const seen = (more: object) => {
  const known = Object.keys(more).length === 0 ? [] : first;
  return noticePull(known, { ...scene, pull: pullOf(more) }).map(({ event }) => event);
};
check('GitHub', seen, [
  ['a new pull request', {}, 'check'],
  ['a push', { head: { ref: 'topic', sha: sha2 } }, 'check gate'],
  ['an edited description', { body: 'Depends-On: #3' }, 'state'],
  ['another base', { base: { ref: 'stable', sha: sha2, repo: repository } }, 'state'],
]);

const timed = (item: object) =>
  noticeTimeline(first, scene, [github.timelineSchema.parse({ id: 1, created_at: at, actor: ada, ...item })]).map(
    ({ event }) => event,
  );
check('GitHub', timed, [
  ['an approval', { event: 'reviewed', state: 'approved', user: ada, submitted_at: at, body: '' }, 'gate'],
  ['a refusal that is dismissed', { event: 'review_dismissed' }, 'state'],
  ['a label', { event: 'labeled', label: { name: 'gate' } }, 'state'],
  ['a label that is taken off', { event: 'unlabeled', label: { name: 'hold' } }, 'state'],
  ['a draft that is ready', { event: 'ready_for_review' }, 'gate'],
  ['reopening it', { event: 'reopened' }, 'check gate'],
  ['recheck', { event: 'commented', user: ada, body: 'recheck' }, 'check gate'],
  ['a comment', { event: 'commented', user: ada, body: 'nice' }, ''],
  ["Sluice's own comment", { event: 'commented', actor: { login: 'sluice' }, body: 'recheck' }, ''],
]);

const lab = { site: { connection: 'lab', url: 'https://h' }, self: 'sluice' };
const request = {
  ...{ iid: 7, title: 'T', author: { username: 'ada' }, state: 'opened', web_url: 'https://h/7', labels: [] },
  ...{
    references: { full: 'acme/tool!7' },
    source_branch: 'topic',
    target_branch: 'main',
    created_at: at,
    updated_at: at,
  },
};
const mergeRequest = ({ heads = 1, ...past }: { heads?: number } & Record<string, unknown>) => {
  const facts = {
    ...{ name: { project: 'acme/tool', number: 7 }, files: [], reviewers: [], notes: [], labelEvents: [] },
    request: gitlab.requestSchema.parse({ ...request, head_pipeline: { id: 3, status: 'success' } }),
    heads: [sha, sha2].slice(0, heads).map((commit, index) => {
      const time = Date.parse(at) + index;
      return { commit, time, compared: time };
    }),
    approvals: gitlab.approvalsSchema.parse({}),
  };
  const told = { notes: [], labels: [], states: [], statuses: [], ...past };
  return happenings({ ...lab, facts }, told)
    .map(({ event }) => event)
    .slice(Object.keys(past).length > 0 ? 1 : heads - 1);
};
const note = (body: string, system = true) => ({
  notes: [gitlab.noteSchema.parse({ id: 1, body, author: { username: 'ada' }, system, created_at: later })],
});
const labelled = (action: string) => ({
  labels: gitlab.labelEventsSchema.parse([{ id: 1, created_at: later, label: { name: 'gate' }, action }]),
});
const stated = (state: string) => ({ states: gitlab.stateEventsSchema.parse([{ id: 1, created_at: later, state }]) });
const status = (name: string, how: string) => ({
  statuses: gitlab.statusesSchema.parse([{ id: 1, name, status: how }]),
});
check('GitLab', mergeRequest, [
  ['a new merge request', {}, 'check'],
  ['a push', { heads: 2 }, 'check gate'],
  ['an approval', note('approved this merge request'), 'gate'],
  ['an approval that is taken back', note('unapproved this merge request'), 'state'],
  ['a new title or a draft that is ready', note('changed title from **Draft: T** to **T**'), 'state'],
  ['a draft that is marked as ready', note('marked this merge request as **ready**'), 'state'],
  ['an edited description', note('changed the description'), 'state'],
  ['the last thread that is resolved', note('resolved all threads'), 'state'],
  ['a label', labelled('add'), 'state'],
  ['a label that is taken off', labelled('remove'), 'state'],
  ["others' pipelines that pass", status('jenkins', 'success'), 'state'],
  ["others' pipelines that fail", status('jenkins', 'failed'), ''],
  ["Sluice's own status", status('sluice/check', 'success'), ''],
  ['reopening it', stated('reopened'), 'check gate'],
  ['its merge', stated('merged'), 'post'],
  ['recheck', note('recheck', false), 'check gate'],
  ['a comment', note('nice', false), ''],
]);

const tea = {
  ...{
    site: { connection: 'tea', url: 'https://h' },
    name: { project: 'acme/tool', number: 7 },
    self: 'sluice',
    head: sha,
  },
  pull: gitea.pullSchema.parse({
    ...{ number: 7, user: ada, title: 'T', body: '', state: 'open', html_url: 'https://h/7', head: { sha } },
    ...{ base: { ref: 'main', repo: repository }, created_at: at, updated_at: at },
  }),
};
interface Told {
  readonly heads?: number;
  readonly happening?: object;
  readonly review?: object;
  readonly status?: object;
}
const pullRequest = async ({ heads = 1, happening, review, status: one }: Told) => {
  const known = [sha2, sha].slice(2 - heads).map((head) => ({ key: `head:${head}`, event: { ...base, time: 0 } }));
  const before =
    heads === 1 && happening === undefined && one === undefined ? [] : known.slice(0, happening || one ? 1 : -1);
  const journal = {
    extend: async (_: unknown, more: (of: typeof known) => readonly { event: TriggerEvent }[]) => more(before),
  };
  const entry = { id: 1, user: ada, created_at: later, ...happening };
  return (
    await readHistory(journal as never, tea, {
      timeline: happening === undefined ? [] : [gitea.happeningSchema.parse(entry)],
      reviews: review === undefined ? [] : [gitea.reviewSchema.parse({ id: 9, user: ada, official: true, ...review })],
      statuses: one === undefined ? [] : gitea.statusesSchema.parse([{ id: 4, ...one }]),
    })
  ).slice();
};
const base = { type: '', driver: 'gitea', connection: 'tea', project: 'acme/tool' };
const reviewed = (state: string) => ({ happening: { type: 'review', review_id: 9 }, review: { state } });
check('Gitea', pullRequest, [
  ['a new pull request', {}, 'check'],
  ['a push', { heads: 2 }, 'check gate'],
  ['an approval', reviewed('APPROVED'), 'gate'],
  ['a refusal that is dismissed', { happening: { type: 'dismiss_review' } }, 'state'],
  ['a title without its WIP', { happening: { type: 'change_title' } }, 'state'],
  ['another base', { happening: { type: 'change_target_branch' } }, 'state'],
  ['a label', { happening: { type: 'label', body: '1', label: { id: 1, name: 'gate' } } }, 'state'],
  ['a label that is taken off', { happening: { type: 'label', body: '', label: { id: 1, name: 'hold' } } }, 'state'],
  ["others' statuses that are good", { status: { context: 'jenkins', status: 'success' } }, 'state'],
  ["others' statuses that are not", { status: { context: 'jenkins', status: 'failure' } }, ''],
  ["Sluice's own status", { status: { context: 'sluice/check', status: 'success' } }, ''],
  ['reopening it', { happening: { type: 'reopen' } }, 'check gate'],
  ['its merge', { happening: { type: 'merge_pull' } }, 'post'],
  ['recheck', { happening: { type: 'comment', body: 'recheck' } }, 'check gate'],
  ['a comment', { happening: { type: 'comment', body: 'nice' } }, ''],
]);

const author = { _account_id: 2, username: 'ada' };
const spoken = ({ tag, message, by = author }: { tag?: string; message: string; by?: object }) => {
  const uploaded = { id: '1', author, date: '2026-11-29 08:00:00.000000000', message: 'Uploaded patch set 1.' };
  const said = { id: '2', author: by, date: '2026-11-29 08:00:05.000000000', message, _revision_number: 1 };
  const info = gerritSchema.parse({
    ...{ id: 'x', _number: 7, project: 'acme', branch: 'main', subject: 'S', status: 'NEW', owner: author },
    ...{ change_id: `I${sha}`, created: uploaded.date, updated: said.date, current_revision: sha },
    revisions: { [sha]: { _number: 1, created: uploaded.date, ref: 'refs/changes/07/7/1', uploader: author } },
    messages: [
      { ...uploaded, _revision_number: 1, tag: 'autogenerated:gerrit:newPatchSet' },
      { ...said, ...(tag === undefined ? {} : { tag }) },
    ],
  });
  const reader = { connection: 'review', url: 'https://h', own: 'sluice' };
  return toEvents(info, reader, { landed: null, after: message === '' ? 0 : 1 }).events.slice(0, 1);
};
const gerritTag = (name: string, message: string) => ({ tag: `autogenerated:gerrit:${name}`, message });
check('Gerrit', spoken, [
  ['a new patch set', { message: '' }, 'check gate'],
  ['a vote', { message: 'Patch Set 1: Code-Review+2' }, 'gate'],
  ['a veto that is taken back', { message: 'Patch Set 1: -Code-Review' }, 'state'],
  ['a veto that somebody removes', gerritTag('deleteVote', 'Removed Code-Review-2 by <GERRIT_ACCOUNT_2>'), 'gate'],
  ['a reply that resolves a thread', { message: 'Patch Set 1:\n\n(1 comment)' }, 'state'],
  ['a change that is ready', gerritTag('setReadyForReview', 'Set Ready For Review'), 'gate'],
  ['a hashtag', gerritTag('setHashtag', 'Hashtag added: ready'), 'state'],
  ['a topic', gerritTag('setTopic', 'Topic set to x'), 'state'],
  ['restoring it', gerritTag('restore', 'Restored'), 'check gate'],
  ['recheck', { message: 'Patch Set 1:\n\nrecheck' }, 'check gate'],
  ["Sluice's own comment", { message: 'Patch Set 1:\n\nrecheck', by: { _account_id: 3, username: 'sluice' } }, ''],
]);
