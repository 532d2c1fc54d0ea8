import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutCommands } from '../../../../activities/review/gitlab/report.ts';
import type { ReviewReport } from '../../../../activities/review/port.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { addNote, approve } from './server/state.ts';
import { idOf, openWorld, propose, pushOver } from './world.ts';

test('statuses follow each other as GitLab lets them, each once for a report', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const say = (key: string, status: string, pipeline = 'gate') =>
    host.report(gateActor, {
      ...{ key, change: idOf(alpha, request), patchset: 1, message: 'Said.\nMore.' },
      ...{ about: { pipeline, action: status }, body: { status, comment: false } },
    });
  await say('1', 'pending');
  await say('1', 'pending');
  await say('2', 'pending');
  await say('3', 'failure');
  await say('3', 'failure');
  await say('4', 'pending');
  await say('5', 'success');
  await say('6', 'success', 'check');
  assert.deepEqual(
    alpha.statuses.map(({ name, status, ref, description }) => [name, status, ref, description]),
    [
      ['sluice/gate', 'pending', 'topic', 'Said.'],
      ['sluice/gate', 'failed', 'topic', 'Said.'],
      ['sluice/gate', 'pending', 'topic', 'Said.'],
      ['sluice/gate', 'success', 'topic', 'Said.'],
      ['sluice/check', 'success', 'topic', 'Said.'],
    ],
  );
  const [first] = alpha.statuses;
  assert.match(first?.targetUrl ?? '', /^https:\/\/ci\.example\.org\/change\/lab%3Aacme%2Ftools%2Falpha!1#sluice-/);
});

test('one note for a pipeline and a patch set: what is said last stands there', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const say = (key: string, message: string, more: Partial<ReviewReport> = {}) =>
    host.report(gateActor, {
      ...{ key, change: idOf(alpha, request), patchset: 1, message, body: { comment: true } },
      about: { pipeline: 'check', action: key },
      ...more,
    });
  await say('1', 'begins');
  await say('2', 'ends');
  await say('1', 'begins');
  await say('3', 'gated', { about: { pipeline: 'gate', action: 'x' } });
  const [mine] = request.notes;
  addNote(world, request, { author: 'eve', body: mine?.body.replace('ends', 'forged') ?? '' });
  await say('4', 'ends again');
  const texts = request.notes.map(({ author, body }) => [author, body.split('\n')[0]]);
  assert.deepEqual(texts, [
    ['sluice', 'ends again'],
    ['sluice', 'gated'],
    ['eve', 'forged'],
  ]);
  await say('5', 'A line.\n'.repeat(10_000));
  assert.match(
    request.notes[0]?.body ?? '',
    /A line\.\n\n… the rest is left out: https:\/\/ci\.example\.org\/change\/\S+\n/,
  );
});

test('a line of a job that begins with a slash is text, and not done by GitLab', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const message = 'Build failed.\n/approve\n  /merge\r\n/usr/bin/make: no rule\r/title x\n```\n/close\n```';
  const report = { change: idOf(alpha, request), patchset: 1, body: { comment: true } };
  await host.report(gateActor, { ...report, key: 'k', message });
  await host.report(gateActor, { ...report, key: 'l', message });
  assert.deepEqual(world.commands, []);
  const { events } = await host.readEvents(idOf(alpha, request), 1);
  assert.match(events[0]?.comment ?? '', /\n\\\/approve\n/);
  assert.equal(withoutCommands('a /b\n//c'), 'a /b\n\\//c');
});

test('labels and approvals are given and taken back, an approval to the head that was tested', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, request);
  const say = (key: string, patchset: number, body: ReviewReport['body']) =>
    host.report(gateActor, { key, change, patchset, message: '', body });
  const votes = async () => {
    const { votes: all = [], labels } = (await host.readChange(change)) ?? {};
    return [...all.map(({ label, value, by }) => [label, value, by]), labels];
  };
  await say('1', 1, { label: ['tested', 'gate'], approval: true });
  assert.deepEqual(await votes(), [
    ['approved', 1, 'sluice'],
    ['tested', 'gate'],
  ]);
  await pushOver(world, alpha, { request, files: { a: '2' } });
  // GitLab has kept the approval, which was given to what was there before.
  assert.deepEqual([request.approvedBy, await votes()], [['sluice'], [['tested', 'gate']]]);
  await say('2', 1, { label: 'late', approval: true });
  await say('3', 2, { unlabel: ['gate', 'none'], approval: true });
  assert.deepEqual(await votes(), [['approved', 1, 'sluice'], ['tested']]);
  await say('4', 2, { approval: false });
  await say('5', 2, { approval: false });
  assert.deepEqual(await votes(), [['tested']]);
  const { events } = await host.readEvents(change, 0);
  const own = events.filter(({ account }) => account?.username === 'sluice');
  assert.deepEqual([...new Set(own.map(({ type }) => type))], ['report'], 'what Sluice says triggers nothing');
  approve(world, request, 'bob');
  const last = (await host.readEvents(change, 0)).events.at(-1);
  assert.deepEqual([last?.type, last?.action, last?.account?.username], ['gl_merge_request', 'approved', 'bob']);
});
