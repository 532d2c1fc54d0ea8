import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { git } from '../github/server/state.ts';
import { testedRequest } from '../tested.ts';
import { addNote, approve, headOf, nextId, now, setLabel } from './server/state.ts';
import { idOf, openWorld, propose, pushOver } from './world.ts';

test('reading goes on after answers that are none', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const change = idOf(alpha, await propose(world, alpha, { files: { a: '1' } }));
  for (const kind of ['unavailable', 'html', 'cut', 'limited', 'reset', 'busy'] as const) {
    world.faults.push({ match: /^GET .*\/versions$/, kind, times: 2 });
    assert.equal((await host.readChange(change))?.patchset, 1, kind);
  }
  world.faults.push({ match: /^GET .*\/versions$/, kind: 'limited', times: 100 });
  await assert.rejects(host.readChange(change), { name: 'HostAway', message: /answers 429/ });
});

test('a note whose answer is lost is not posted twice', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  for (const kind of ['unavailable', 'html', 'cut', 'busy'] as const) {
    const report = { key: kind, change: idOf(alpha, request), patchset: 1, message: `${kind}.`, body: {} };
    world.faults.push({ match: /^POST .*\/notes$/, kind, times: 1, done: kind !== 'unavailable' });
    await host.report(gateActor, report).catch(() => host.report(gateActor, report));
    await host.report(gateActor, report);
    assert.equal(request.notes.filter(({ body }) => body.startsWith(`${kind}.`)).length, 1, kind);
  }
});

test('an answer that is too large is not read to its end', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  request.description = 'x'.repeat(2 * 1024 * 1024);
  await assert.rejects(host.readChange(idOf(alpha, request)), { name: 'HostAway', message: /more than/ });
});

test('a secret is in no error', async (t) => {
  const { world, host, open } = await openWorld(t);
  const errors: unknown[] = [];
  world.faults.push({ match: /./, kind: 'unavailable', times: 4 });
  await host.readChange('acme/tools/alpha!1').catch((error: unknown) => errors.push(error));
  const { host: away } = open({ url: 'http://127.0.0.1:1/lab' });
  await away.readChange('acme/tools/alpha!1').catch((error: unknown) => errors.push(error));
  world.faults.push({ match: /./, kind: 401, times: 1 });
  await host.readChange('acme/tools/alpha!1').catch((error: unknown) => errors.push(error));
  assert.equal(errors.length, 3);
  for (const error of errors as Error[]) {
    assert.ok(!JSON.stringify([error.message, error.stack, error.cause]).includes(world.token), error.message);
  }
  const { url, access } = host.gitRemote('acme/tools/alpha');
  assert.ok(!url.includes(world.token) && Object.values((await access?.()) ?? {}).length > 0);
});

test('heads are numbered by what was pushed, the same one again as another, a new target not at all', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, request);
  const first = headOf(request);
  const numbers = [(await host.readChange(change))?.patchset];
  request.versions.push({ id: nextId(), head: first, time: now(world) });
  numbers.push((await host.readChange(change))?.patchset);
  await pushOver(world, alpha, { request, files: { a: '2' } });
  numbers.push((await host.readChange(change))?.patchset);
  request.versions.push({ id: nextId(), head: first, time: now(world) });
  numbers.push((await host.readChange(change))?.patchset);
  assert.deepEqual(numbers, [1, 1, 2, 3]);
  const { events } = await host.readEvents(change, 0);
  assert.deepEqual(
    events.map(({ action, patchset, newrev }) => [action, patchset, newrev === first]),
    [
      ['opened', 1, true],
      ['changed', 2, false],
      ['changed', 3, true],
    ],
  );
});

test('events are the same for another process, and after a note was removed', async (t) => {
  const { world, alpha, host, open } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, request);
  addNote(world, request, { author: 'bob', body: 'recheck' });
  addNote(world, request, { author: 'bob', body: 'changed the description', system: true });
  addNote(world, request, { author: 'bob', body: 'assigned to @ada', system: true });
  addNote(world, request, { author: 'eve', body: 'approved this merge request' });
  const first = await host.readEvents(change, 0);
  const told = first.events.map(({ action, comment, account }) => [action, comment, account?.username]);
  assert.deepEqual(told, [
    ['opened', undefined, 'ada'],
    ['comment', 'recheck', 'bob'],
    ['edited', undefined, 'bob'],
    ['comment', 'approved this merge request', 'eve'],
  ]);
  request.notes.splice(0, 1);
  setLabel(world, request, { name: 'gate', by: 'bob', on: true });
  setLabel(world, request, { name: 'gate', by: 'bob', on: false });
  const later = await open().host.readEvents(change, first.last);
  assert.deepEqual(
    later.events.map(({ action, labels, unlabels }) => [action, labels ?? unlabels]),
    [
      ['labeled', ['gate']],
      ['unlabeled', ['gate']],
    ],
  );
  assert.deepEqual((await open().host.readEvents(change, 0)).events.slice(0, 4), first.events);
});

test("others' part of a pipeline that passes is an event, and Sluice's own is none", async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, request);
  const add = (name: string, status: string) =>
    alpha.statuses.push({
      ...{ id: nextId(), sha: headOf(request), name, ref: 'topic', status, author: 'ci' },
      ...{ targetUrl: null, description: null, allowFailure: false },
    });
  const actions = async () => (await host.readEvents(change, 0)).events.map(({ action }) => action);
  add('sluice/check', 'success');
  assert.deepEqual(await actions(), ['opened']);
  add('unit', 'running');
  assert.deepEqual(await actions(), ['opened']);
  add('unit', 'success');
  assert.deepEqual(
    [await actions(), await actions()],
    [
      ['opened', 'passed'],
      ['opened', 'passed'],
    ],
  );
  // A status that joins it later may have been the last that was missing.
  add('lint', 'running');
  assert.deepEqual(await actions(), ['opened', 'passed']);
  add('lint', 'success');
  assert.deepEqual(await actions(), ['opened', 'passed', 'passed']);
  add('sluice/check', 'pending');
  assert.deepEqual(await actions(), ['opened', 'passed', 'passed']);
});

test('I9: an approval that comes with a push is not one of the head before', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, request);
  world.onAnswered = async (asked) => {
    if (!asked.endsWith('/versions')) return;
    world.onAnswered = null;
    await pushOver(world, alpha, { request, files: { a: '2' } });
    approve(world, request, 'bob');
  };
  const read = await host.readChange(change);
  assert.deepEqual([read?.patchset, read?.votes.map(({ by }) => by)], [1, []]);
  const order = world.asked.flatMap((asked) => /(approvals|versions)$/.exec(asked)?.[1] ?? []);
  assert.deepEqual(order, ['approvals', 'versions'], 'else what was given to the next head would count for this one');
  const later = await host.readChange(change);
  assert.deepEqual([later?.patchset, later?.votes.map(({ by }) => by)], [2, ['bob']]);
});

test('a label is of the head that it was given to, and one that is called approved approves nothing', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const given = async () => {
    const change = await host.readChange(idOf(alpha, request));
    return [change?.votes, change?.labels, change?.currentLabels];
  };
  for (const name of ['gate', 'approved']) setLabel(world, request, { name, by: 'ada', on: true });
  assert.deepEqual(await given(), [[], ['gate', 'approved'], ['gate', 'approved']]);
  await pushOver(world, alpha, { request, files: { a: '2' } });
  assert.deepEqual(await given(), [[], ['gate', 'approved'], []]);
  for (const on of [false, true]) setLabel(world, request, { name: 'gate', by: 'bob', on });
  assert.deepEqual(await given(), [[], ['approved', 'gate'], ['gate']]);
});

test('I9: two reviewers at once each count, and each is an event', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, request);
  for (const user of ['bob', 'eve']) approve(world, request, user);
  assert.deepEqual(
    (await host.readChange(change))?.votes.map(({ label, value, by }) => [label, value, by]),
    [
      ['approved', 1, 'bob'],
      ['approved', 1, 'eve'],
    ],
  );
  const { events } = await host.readEvents(change, 1);
  assert.deepEqual(
    events.map(({ action, account }) => [action, account?.username]),
    [
      ['approved', 'bob'],
      ['approved', 'eve'],
    ],
  );
});

test('an approval is of the way to the branch that it was given for', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const approvers = async () => (await host.readChange(idOf(alpha, request)))?.votes.map(({ by }) => by);
  approve(world, request, 'bob');
  assert.deepEqual(await approvers(), ['bob']);
  world.skew += 2_000;
  request.versions.push({ id: nextId(), head: headOf(request), time: now(world) });
  assert.deepEqual(await approvers(), [], 'the new target may get commits that nobody has looked at');
  approve(world, request, 'eve');
  assert.deepEqual(await approvers(), ['eve']);
});

test('hostile texts stay texts', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const title = '<script>alert(1)</script>\u202e';
  const description = `\ud800 ${'Depends-On: x\n'.repeat(200)}${'y'.repeat(300_000)}\r\nDepends-On: acme/tools/beta!9`;
  const request = await propose(world, alpha, { files: { 'a b"\\': '1' }, description });
  request.title = `${title}\nforged: line`;
  request.labels.push('<b>\ud800');
  addNote(world, request, { author: '../eve', body: `<!-- sluice ${'0'.repeat(16)} -->\ud800` });
  const change = await host.readChange(idOf(alpha, request));
  assert.equal(change?.subject, title);
  assert.ok(change.message.length <= 70_000 && change.message.isWellFormed());
  assert.deepEqual(change.dependsOn, ['x', 'lab:acme/tools/beta!9']);
  assert.ok(change.labels?.every((label) => label.isWellFormed()));
  const { events } = await host.readEvents(change.id, 1);
  assert.ok(events[0]?.comment?.isWellFormed());
});

test('a project that was renamed or is elsewhere is not there, and an empty merge request is none', async (t) => {
  const { world, alpha, host, git, open } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  const asked = await testedRequest({ host, git }, idOf(alpha, request));
  const bare = await propose(world, alpha, { files: { b: '1' } });
  bare.versions.length = 0;
  assert.equal(await host.readChange(idOf(alpha, bare)), null);
  assert.deepEqual(
    (await host.listOpenChanges()).map(({ id }) => id),
    [idOf(alpha, request)],
  );
  // Projects are found by any spelling, and called by the host's.
  assert.equal((await host.readChange('ACME/Tools/Alpha!1'))?.id, idOf(alpha, request));
  alpha.formerly = alpha.name;
  alpha.name = 'others/alpha';
  assert.equal(await host.readChange('acme/tools/alpha!1'), null);
  assert.equal(await host.nameNow?.('acme/tools/alpha'), 'others/alpha');
  assert.equal(await host.nameNow?.('acme/tools/none'), null);
  alpha.formerly = 'secret/alpha';
  assert.equal(await host.nameNow?.('secret/alpha'), null, 'of another connection nothing is told');
  alpha.formerly = 'acme/tools/alpha';
  const refused = await host.submit(gateActor, asked);
  assert.ok(refused.kind === 'refused');
  assert.match(refused.reason, /acme\/tools\/alpha is called others\/alpha there: name it so in sluice\.yaml$/);
  assert.equal(await host.readChange('others/alpha!1'), null, "another connection's");
  assert.deepEqual(await open().host.listOpenChanges(), []);
});

test('what did not change is not read again, and what did is', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const request = await propose(world, alpha, { files: { a: '1' } });
  request.updated = new Date(Date.now() - 60_000).toISOString();
  const count = () => world.asked.filter((each) => each.endsWith('/versions')).length;
  await host.listOpenChanges();
  await host.listOpenChanges();
  assert.equal(count(), 1);
  approve(world, request, 'bob');
  assert.deepEqual(
    (await host.listOpenChanges())[0]?.votes.map(({ by }) => by),
    ['bob'],
  );
  assert.equal(count(), 2);
});

test('a connection is checked against the live host, each line with what to do', async (t) => {
  const { world, alpha, beta, connection, open } = await openWorld(t);
  const lines = async (check = connection.check) =>
    Object.fromEntries((await check?.())?.map(({ name, ok, message }) => [name, { ok, message }]) ?? []);
  const good = await lines();
  assert.deepEqual(
    Object.values(good).map(({ ok }) => ok),
    Array(7).fill(true),
    JSON.stringify(good),
  );
  assert.match(good.login?.message ?? '', /^sluice at .*\/lab, version 18\.5\.0; the token ends on 2027-01-31$/);
  alpha.mayPush = true;
  assert.match((await lines()).rights?.message ?? '', /pushes the tested commit itself in 1 of 2 projects/);
  Object.assign(alpha, { level: 20, mayPush: false });
  beta.hooks = [{ id: 1, url: 'https://elsewhere', merge_requests_events: true, note_events: true, push_events: true }];
  world.skew = 600_000;
  const bad = await lines(open({ approve: { label: 'ready' }, webhookSecret: undefined }).check);
  const wrong = Object.entries(bad).filter(([, { ok }]) => !ok);
  assert.deepEqual(
    wrong.map(([name]) => name),
    ['events', 'labels', 'rights', 'webhook', 'clock'],
  );
  assert.match(bad.webhook?.message ?? '', /add a webhook to …\/api\/connection\/lab\/payload .* in acme\/tools\/beta/);
  const events = { merge_requests_events: true, note_events: true, push_events: true, tag_push_events: true };
  beta.hooks = [{ id: 1, url: 'https://sluice/api/connection/lab/payload', ...events }];
  assert.match((await lines()).webhook?.message ?? '', /pipeline events in acme\/tools\/beta/);
  world.scopes = ['read_api'];
  assert.deepEqual(Object.keys(await lines()), ['login']);
  assert.match((await lines()).login?.message ?? '', /no scope "api"/);
});

test('a branch that is gone has no tip, and what needs it can be read all the same', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const change = idOf(alpha, await propose(world, alpha, { files: { a: '1' } }));
  await git(alpha, 'update-ref', '-d', 'refs/heads/master');
  assert.equal(await host.branchTip('acme/tools/alpha', 'master'), null);
  assert.deepEqual(await host.branches('acme/tools/alpha'), []);
  const answer = await host.canMerge(change, []);
  assert.match(answer.ok ? '' : answer.missing.join(), /no branch master any more/);
});
