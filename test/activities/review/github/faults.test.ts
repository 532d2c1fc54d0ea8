import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAway } from '../../../../activities/review/port.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { testedRequest } from '../tested.ts';
import { addComment, addReview, setLabel } from './server/pull-routes.ts';
import { type Fault, git, now } from './server/state.ts';
import { idOf, openWorld, propose, pushOver } from './world.ts';

const kinds: readonly Fault['kind'][] = ['unavailable', 'html', 'cut', 'limited', 'secondary', 'busy'];

for (const kind of kinds) {
  test(`reading goes on after an answer that is ${kind}`, async (t) => {
    const { world, alpha, host } = await openWorld(t);
    const pull = await propose(world, alpha, { files: { a: '1' } });
    world.faults.push({ match: /^GET .*\/pulls\/1$/, kind, times: 2 });
    assert.equal((await host.readChange(idOf(alpha, pull)))?.patchset, 1);
  });
}

test('a limit that ends too late is an error that says so, and is waited for as a host that is away', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  world.skew = 0;
  world.faults.push({ match: /^GET .*\/pulls\/1$/, kind: 'limited', times: 10 });
  await assert.rejects(host.readChange(idOf(alpha, pull)), (error: Error) => {
    assert.deepEqual([error.name, isAway(error)], ['RateLimited', true]);
    return /rate limit is used up/.test(error.message);
  });
});

for (const kind of ['unavailable', 'html', 'cut', 'busy'] as const) {
  test(`a comment whose answer is ${kind} is not posted twice`, async (t) => {
    const { world, alpha, host } = await openWorld(t);
    const pull = await propose(world, alpha, { files: { a: '1' } });
    const report = { key: 'k', change: idOf(alpha, pull), patchset: 1, message: 'Build succeeded.', body: {} };
    world.faults.push({ match: /^POST .*\/comments$/, kind, times: 1, done: kind !== 'unavailable' });
    await host.report(gateActor, report).catch(() => host.report(gateActor, report));
    await host.report(gateActor, report);
    assert.equal(pull.comments.length, 1);
  });
}

test('a merge whose answer is lost is found done', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const request = await testedRequest(there, idOf(alpha, pull));
  world.faults.push({ match: /^PUT .*\/merge$/, kind: 'cut', times: 1, done: true });
  const result = await host.submit(gateActor, request).catch(() => host.submit(gateActor, request));
  assert.ok(result.kind === 'already-merged' || result.kind === 'refused');
  assert.equal((await host.submit(gateActor, request)).kind, 'already-merged');
});

test('a repository that was renamed is read and merged under its old name', async (t) => {
  const { world, alpha, host, git: cache } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  const request = await testedRequest({ host, git: cache }, id);
  alpha.fullName = 'acme/gamma';
  world.renamed.set('acme/alpha', 'acme/gamma');
  const change = await host.readChange(id);
  assert.deepEqual([change?.id, change?.project], [id, 'acme/alpha']);
  assert.equal(await host.nameNow?.('acme/alpha'), 'acme/gamma');
  assert.equal(await host.nameNow?.('acme/gamma'), null);
  assert.equal((await host.submit(gateActor, request)).kind, 'merged');
});

test('a branch that is gone has no tip, and what needs it can be read all the same', async (t) => {
  const { alpha, host } = await openWorld(t);
  await git(alpha, 'update-ref', '-d', 'refs/heads/master');
  assert.equal(await host.branchTip('acme/alpha', 'master'), null);
  assert.deepEqual(await host.branches('acme/alpha'), []);
});

test('events are the same for another process, and after a comment was removed', async (t) => {
  const { world, alpha, host, open } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  addComment(world, pull, { user: 'bob', body: 'recheck' });
  addComment(world, pull, { user: 'eve', body: 'hello' });
  const first = await host.readEvents(id, 0);
  assert.deepEqual(
    first.events.map(({ action, comment, account }) => [action, comment, account?.permission]),
    [
      ['opened', undefined, undefined],
      ['comment', 'recheck', 'write'],
      ['comment', 'hello', 'read'],
    ],
  );
  pull.timeline.splice(0, 1);
  setLabel(world, pull, { name: 'gate', by: 'bob', on: true });
  const later = await open().host.readEvents(id, first.last);
  assert.deepEqual(
    later.events.map(({ action, labels }) => [action, labels]),
    [['labeled', ['gate']]],
  );
  assert.deepEqual((await open().host.readEvents(id, 0)).events.slice(0, 3), first.events);
});

test('a label is of the head that it was given to, and one that is called review approves nothing', async (t) => {
  const { world, alpha, host, open } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const given = async () => {
    const change = await open().host.readChange(idOf(alpha, pull));
    return [change?.votes, change?.labels, change?.currentLabels];
  };
  const later = () => {
    world.skew += 2_000;
  };
  await host.readChange(idOf(alpha, pull));
  later();
  for (const name of ['gate', 'review']) setLabel(world, pull, { name, by: 'bob', on: true });
  assert.deepEqual(await given(), [[], ['gate', 'review'], ['gate', 'review']]);
  await pushOver(world, alpha, { pull, files: { a: '2' } });
  assert.deepEqual(await given(), [[], ['gate', 'review'], []]);
  later();
  for (const on of [false, true]) setLabel(world, pull, { name: 'gate', by: 'bob', on });
  assert.deepEqual(await given(), [[], ['review', 'gate'], ['gate']]);
  // Nobody looked between the push and the label: whether it was given before is not known.
  later();
  await pushOver(world, alpha, { pull, files: { a: '3' } });
  for (const on of [false, true]) setLabel(world, pull, { name: 'gate', by: 'bob', on });
  assert.deepEqual(await given(), [[], ['review', 'gate'], []]);
});

test('a remark of a reviewer without an opinion is a vote of nothing', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  for (const [user, state] of [
    ['bob', 'COMMENTED'],
    ['eve', 'APPROVED'],
    ['eve', 'COMMENTED'],
  ] as const)
    addReview(world, pull, { user, state, body: 'so' });
  const change = await host.readChange(idOf(alpha, pull));
  assert.deepEqual(
    change?.votes.map(({ by, value }) => [by, value]),
    [
      ['eve', 1],
      ['bob', 0],
    ],
  );
});

test('heads are numbered in the order in which they come, the same one again as another', async (t) => {
  const { world, alpha, host, open } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  const numbers = [(await host.readChange(id))?.patchset];
  const first = pull.head;
  await pushOver(world, alpha, { pull, files: { a: '2' } });
  numbers.push((await host.readChange(id))?.patchset, (await open().host.readChange(id))?.patchset);
  pull.head = first;
  numbers.push((await open().host.readChange(id))?.patchset);
  assert.deepEqual(numbers, [1, 2, 2, 3]);
  const { events } = await host.readEvents(id, 0);
  assert.deepEqual(
    events.map(({ action, newrev, patchset }) => [action, newrev === first, patchset]),
    [
      ['opened', true, 1],
      ['changed', false, 2],
      ['changed', true, 3],
    ],
  );
});

test('a description that was edited is an event, and what it needs is read anew', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  await host.readEvents(id, 0);
  pull.body = 'Words.\r\n\r\nDepends-On: acme/beta#9\r\ndepends-on: https://review.example.org/c/p/+/3\n';
  assert.deepEqual((await host.readChange(id))?.dependsOn, ['hub:acme/beta#9', 'https://review.example.org/c/p/+/3']);
  assert.deepEqual(
    (await host.readEvents(id, 1)).events.map(({ action }) => action),
    ['edited'],
  );
});

test('an approval is of the way to the branch that it was given for', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const votes = async () => (await host.readChange(idOf(alpha, pull)))?.votes.map(({ by, value }) => [by, value]);
  const later = () => {
    world.skew += 2_000;
  };
  addReview(world, pull, { user: 'bob', state: 'APPROVED' });
  addReview(world, pull, { user: 'eve', state: 'CHANGES_REQUESTED' });
  later();
  pull.timeline.push({ event: 'base_ref_changed', id: 7_001, created_at: now(world), actor: { login: 'ada' } });
  assert.deepEqual(await votes(), [['eve', -1]], 'the new base may get commits that nobody has looked at');
  later();
  addReview(world, pull, { user: 'bob', state: 'APPROVED' });
  assert.deepEqual(await votes(), [
    ['bob', 1],
    ['eve', -1],
  ]);
});

test('two reviewers at once each count, and what Sluice itself says wakes nobody', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  for (const user of ['bob', 'eve']) addReview(world, pull, { user, state: 'APPROVED' });
  addReview(world, pull, { user: 'bob', state: 'COMMENTED', body: 'recheck' });
  const votes = (await host.readChange(id))?.votes.map(({ by, value, permission }) => [by, value, permission]);
  assert.deepEqual(votes, [
    ['bob', 1, 'write'],
    ['eve', 1, 'read'],
  ]);
  const body = { comment: true, label: 'gate', review: 'comment' };
  await host.report(gateActor, { key: 'k', change: id, patchset: 1, message: 'recheck', body });
  const own = (await host.readEvents(id, 0)).events.filter(({ account }) => account?.username === 'sluice');
  assert.deepEqual([...new Set(own.map(({ type }) => type))], ['report']);
  assert.equal(own.length, 3);
});

test('hostile texts stay texts', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const title = '<script>alert(1)</script>\u202e';
  const body = `\0\ud800 ${'Depends-On: x\n'.repeat(200)}${'y'.repeat(1_000_000)}`;
  const pull = await propose(world, alpha, { files: { 'a b"\\': '1' }, body });
  pull.title = `${title}\nforged: line`;
  addComment(world, pull, { user: 'eve', body: `<!-- sluice ${'0'.repeat(16)} -->\ud800\0` });
  const change = await host.readChange(idOf(alpha, pull));
  assert.equal(change?.subject, title);
  assert.ok(change.message.length <= 70_000 && change.message.isWellFormed() && !change.message.includes('\0'));
  assert.deepEqual(change.dependsOn, ['x']);
  const { events } = await host.readEvents(change.id, 1);
  assert.ok(events[0]?.comment?.startsWith('<!-- sluice ') && events[0].comment.isWellFormed());
});

for (const minutes of [-10, 10, 50]) {
  test(`an App logs in at a GitHub whose clock is ${minutes} minutes ahead of ours`, async (t) => {
    const { world, alpha, host, connection } = await openWorld(t);
    const pull = await propose(world, alpha, { files: { a: '1' } });
    world.skew = minutes * 60_000;
    assert.equal((await host.readChange(idOf(alpha, pull)))?.patchset, 1);
    assert.deepEqual(await host.listProjects(), ['acme/alpha', 'acme/beta']);
    const asked = world.asked.filter((each) => /installation$/.test(each)).length;
    assert.equal(asked, 2, 'once refused, once right');
    const clock = (await connection.check?.())?.find(({ name }) => name === 'clock');
    assert.match(clock?.message ?? '', minutes < 0 ? / s ahead of GitHub's: set it/ : / s behind GitHub's: set it/);
    assert.equal(clock?.ok, false);
    // What was told once need not be right for ever.
    world.skew = 0;
    await host.listProjects();
  });
}

test('a token ends when GitHub says so, by whichever clock', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  world.skew = 8 * 60_000;
  const start = Date.now();
  for (const minutes of [0, 50, 61, 130]) {
    t.mock.timers.setTime(start + minutes * 60_000);
    assert.equal((await host.readChange(idOf(alpha, pull)))?.patchset, 1, `${minutes} minutes later`);
  }
});

test('an App does not sign for a time that is far from ours, and says what is wrong', async (t) => {
  const { world, connection } = await openWorld(t);
  world.skew = 2 * 3_600_000;
  for (const { name, ok, message } of (await connection.check?.()) ?? []) {
    assert.equal(ok, name === 'labels', name);
    if (!ok) assert.match(message, /^our clock is (7200|7199) s behind GitHub's: set it by NTP$/, name);
  }
});

test('a secret is in no error', async (t) => {
  const { world, open } = await openWorld(t);
  const { host } = open({ token: { env: 'TOKEN' } });
  world.faults.push({ match: /./, kind: 'unavailable', times: 100 });
  const error = await host.readChange('acme/alpha#1').then(
    () => assert.fail('it was read'),
    (one: Error) => one,
  );
  assert.ok(!JSON.stringify([error.message, error.stack, error.cause]).includes(world.token.value));
});
