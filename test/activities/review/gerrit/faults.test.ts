import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '../../../../activities/process/run.ts';
import { openGerritRemote } from '../../../../activities/review/gerrit/remote.ts';
import { usualPatience } from '../../../../activities/review/http.ts';
import { done } from '../../../../infra/gerrit/account.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { standsOnTaken } from '../../../../pipelines/report/taken.ts';
import { makeCommit } from '../../git/repository.ts';
import { messageFor } from '../developer.ts';
import { testedRequest } from '../tested.ts';
import { type Desk, openDesk } from './desk.ts';
import { openBadWay, refusals, troubles } from './proxy.ts';
import { blockPush, connect, setConfig, sharedGerrit } from './world.ts';

const patience = { ...usualPatience, pause: 5, longestPause: 50, timeout: 20_000 };

let projects = 0;
async function open(t: TestContext, parent?: string) {
  const gerrit = await sharedGerrit();
  projects += 1;
  const desk = await openDesk(t, gerrit, { project: `faults${projects}`, ...(parent === undefined ? {} : { parent }) });
  const owns = (project: string) => project === desk.project;
  const way = await openBadWay(t, gerrit.site.url);
  const connection = await connect(t, gerrit, { owns, patience, settings: { url: way.url } });
  const { number, commit } = await propose(desk, 'a');
  return { gerrit, desk, way, ...connection, number, commit, change: `review:${number}` };
}

function propose(desk: Desk, file: string) {
  return desk.propose({ files: { [file]: '1\n' }, message: messageFor(`${file} of ${desk.project}`) });
}

for (const [name, trouble] of Object.entries(troubles)) {
  test(`an answer that is ${name} is asked for again`, async (t) => {
    const { way, host, change, number } = await open(t);
    way.meet('/a/changes/', trouble, trouble);
    assert.equal((await host.readChange(change))?.id, change);
    way.meet(`/a/changes/${number}`, trouble);
    assert.equal((await host.readEvents(change, 0)).events.length, 1);
  });
}

test('fetches one after the other need one login, and one that is to see the host anew has its own', async (t) => {
  const { gerrit, desk } = await open(t);
  const fetch = async (login: 'shared' | 'anew') => {
    const { url, access } = openGerritRemote(gerrit.settings, desk.project, login);
    await must('git', ['ls-remote', url], { env: { ...(await access()) } });
  };
  const log = join(gerrit.site.directory, 'logs', 'sshd_log');
  const count = async (what: RegExp) => [...(await readFile(log, 'utf8')).matchAll(what)].length;
  const uploads = /git-upload-pack.*faults/g;
  await fetch('shared');
  await until(async () => (await count(uploads)) > 0);
  const [logins, before] = [await count(/LOGIN/g), await count(uploads)];
  for (const login of ['shared', 'shared', 'anew'] as const) await fetch(login);
  await until(async () => (await count(uploads)) - before === 3);
  assert.equal((await count(/LOGIN/g)) - logins, 1);
});

/** What Gerrit's log says comes a moment later. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await holds()); await sleep(50))
    assert.ok(Date.now() < deadline, 'not so after two minutes');
}

test('a report whose answer was lost is given once', async (t) => {
  const { gerrit, way, host, change, number, desk } = await open(t);
  const report = { key: 'k', change, patchset: 1, message: 'Build succeeded.', body: { Verified: 1 } };
  way.meet(`/a/changes/${desk.project}~${number}/revisions/1/review`, troubles.silent);
  await assert.rejects(host.report(gateActor, report), { name: 'HostAway' });
  await host.report(gateActor, report);
  const { messages } = (await done(gerrit.rest('GET', `/changes/${number}?o=MESSAGES`))) as { messages: unknown[] };
  assert.equal(messages.length, 2);
});

test('I9: 409 is an answer: a report says so and is given at the next try, a merge says whether it was made', async (t) => {
  const there = await open(t);
  const { way, host, change, number, desk, commit } = there;
  await blockPush(there.gerrit, desk.project);
  const path = `/a/changes/${desk.project}~${number}/revisions/`;
  const report = { key: 'k', change, patchset: 1, message: 'Build succeeded.', body: { Verified: 1 } };
  way.refuse(`${path}1/review`, refusals.conflict);
  await assert.rejects(host.report(gateActor, report), { name: 'HostRefusal', message: /somebody else writes it/ });
  await host.report(gateActor, report);
  assert.deepEqual(
    (await host.readChange(change))?.votes.map(({ label, value }) => [label, value]),
    [['Verified', 1]],
  );
  const request = await testedRequest(there, change);
  way.refuse(`${path}${commit}/submit`, refusals.conflict);
  const refused = await host.submit(gateActor, request);
  assert.ok(refused.kind === 'refused', refused.kind);
  assert.match(refused.reason, /somebody else writes it/);
  // Done, and told otherwise.
  way.meet(`${path}${commit}/submit`, refusals.conflict);
  assert.equal((await host.submit(gateActor, request)).kind, 'already-merged');
});

test('I9: a change whose project has another name by now is found by its number', async (t) => {
  const { way, host, change, number, desk } = await open(t);
  assert.equal((await host.readChange(change))?.id, change);
  way.meet(`/a/changes/${desk.project}~${number}?`, refusals.absent);
  assert.equal((await host.readChange(change))?.id, change);
});

test('a merge whose answer was lost is a merge', async (t) => {
  const there = await open(t);
  const { way, host, change, number, desk, commit } = there;
  await blockPush(there.gerrit, desk.project);
  const request = await testedRequest(there, change);
  way.meet(`/a/changes/${desk.project}~${number}/revisions/${commit}/submit`, troubles.half);
  await assert.rejects(host.submit(gateActor, request), { name: 'HostAway' });
  assert.equal((await host.submit(gateActor, request)).kind, 'already-merged');
});

test('two who vote at once are both recorded, and each is an event', async (t) => {
  const { gerrit, host, change, number } = await open(t);
  await done(
    gerrit.rest('PUT', `/accounts/bob${number}`, { name: 'Bob', http_password: 'secret', groups: ['Administrators'] }),
  );
  const vote = (user: string, value: number) =>
    done(gerrit.rest('POST', `/changes/${number}/revisions/1/review`, { labels: { 'Code-Review': value } }, user));
  await Promise.all([vote('admin', 2), vote(`bob${number}`, -1)]);
  const votes = (await host.readChange(change))?.votes ?? [];
  assert.deepEqual(
    votes.map(({ by, value }) => [by, value]).sort(),
    [
      ['admin', 2],
      [`bob${number}`, -1],
    ].sort(),
  );
  const { events } = await host.readEvents(change, 1);
  assert.deepEqual(events.map(({ approvals }) => approvals?.[0]?.value).sort(), [-1, 2]);
});

test("Sluice's own vote triggers nothing, and somebody's does", async (t) => {
  const { gerrit, host, change, number } = await open(t);
  await host.report(gateActor, { key: 'k', change, patchset: 1, message: 'recheck', body: { Verified: 1 } });
  await done(gerrit.rest('POST', `/changes/${number}/revisions/1/review`, { message: 'recheck' }));
  const { events } = await host.readEvents(change, 1);
  assert.deepEqual(
    events.map(({ type, comment }) => [type, comment]),
    [
      ['report', 'recheck'],
      ['comment-added', 'recheck'],
    ],
  );
});

test('a project that became read-only refuses a merge, in its own words, and says so before any job runs', async (t) => {
  const { gerrit, desk, host, git, change } = await open(t);
  assert.deepEqual(await host.canMerge(change, ['Verified']), { ok: true });
  const request = await testedRequest({ host, git }, change);
  await setConfig(gerrit.site, desk.project, [['project.state', 'read only']]);
  const result = await host.submit(gateActor, request);
  assert.ok(result.kind === 'refused', result.kind);
  assert.match(result.reason, /state|read/i);
  assert.equal((await host.readChange(change))?.status, 'open');
  const { host: later, check } = await connect(t, gerrit, { owns: (project) => project === desk.project });
  const missing = [`the project ${desk.project} is read-only at Gerrit`];
  assert.deepEqual(await later.canMerge(change, ['Verified']), { ok: false, missing, isOpen: true });
  const rights = (await check?.())?.find(({ name }) => name === 'rights');
  assert.deepEqual([rights?.ok, rights?.message.split(': ').at(-1)], [true, desk.project]);
});

test('a branch that is deleted takes no merge, and its changes can still be read', async (t) => {
  const { gerrit, desk, host, git, change, number } = await open(t);
  const request = await testedRequest({ host, git }, change);
  await done(gerrit.rest('POST', `/projects/${desk.project}/branches:delete`, { branches: ['refs/heads/master'] }));
  const read = await host.readChange(change);
  assert.equal(read?.branch, 'master');
  assert.equal(await host.branchTip(desk.project, 'master'), null);
  const reason = `${desk.project} has no branch master`;
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'refused', reason });
  assert.equal(await host.branchTip(desk.project, 'master'), null);
  assert.ok((await host.readEvents(`review:${number}`, 0)).events.length > 0);
});

test('I9: a change that stands on what was taken from its branch is not merged, approved again or not', async (t) => {
  const { gerrit, desk, host, git } = await open(t);
  const first = await desk.fetch('refs/heads/master');
  const taken = await makeCommit(desk.repo, { parents: [first], files: { secret: '1\n' } });
  await desk.push(`${taken}:refs/heads/master`);
  const { number } = await propose(desk, 'b');
  const request = { ...(await testedRequest({ host, git }, `review:${number}`)), base: taken };
  await done(gerrit.rest('POST', `/projects/${desk.project}/branches:delete`, { branches: ['refs/heads/master'] }));
  await desk.push(`${first}:refs/heads/master`);
  const reason = standsOnTaken(taken, { project: desk.project, branch: 'master', head: '' });
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'refused', reason });
  // As it was tested anew before anybody noticed: on what the branch is now, it is the same commit.
  const again = { ...request, base: first };
  assert.deepEqual(await host.submit(gateActor, again), { kind: 'refused', reason });
  assert.equal(await host.submitTogether?.(gateActor, [again, again]), 0);
  assert.equal(await desk.fetch('refs/heads/master'), first);
  // It is given back, of which nothing was fetched yet.
  await desk.push(`${taken}:refs/heads/master`);
  assert.equal((await host.submit(gateActor, { ...again, onto: first })).kind, 'merged');
});

test('a host whose clock is ten minutes off is named by the check, and its own clock orders events', async (t) => {
  const { way, check, host, gerrit, change, number } = await open(t);
  const clock = async () => (await check?.())?.find(({ name }) => name === 'clock');
  assert.equal((await clock())?.ok, true);
  way.headers.date = new Date(Date.now() - 600_000).toUTCString();
  const found = await clock();
  assert.equal(found?.ok, false);
  assert.match(found?.message ?? '', /(59\d|60\d) s behind ours/);
  await done(gerrit.rest('POST', `/changes/${number}/revisions/1/review`, { message: 'later' }));
  const times = (await host.readEvents(change, 0)).events.map(({ time }) => time);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
});

test('the check says line by line what is right, and what to do about the rest', async (t) => {
  const { gerrit, check, desk } = await open(t);
  const lines = (await check?.()) ?? [];
  const wrong = lines.filter(({ ok }) => !ok).map(({ name, message }) => `${name}: ${message}`);
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    lines.map(({ name }) => name),
    ['login', 'events', 'git', 'labels', 'rights', 'webhook', 'clock'],
  );
  const owns = (project: string) => project === desk.project;
  const ask = async (settings: object) => {
    const { check: other } = await connect(t, gerrit, { owns, patience: { ...patience, tries: 1 }, settings });
    return new Map(((await other?.()) ?? []).map(({ name, ok, message }) => [name, `${ok} ${message}`]));
  };
  const alone = await ask({ user: 'nobody' });
  assert.match(alone.get('login') ?? '', /^false Gerrit answers 401/);
  for (const unseen of ['labels', 'rights'] as const) assert.match(alone.get(unseen) ?? '', /^false /, unseen);
  const label = await ask({ approve: { label: 'Approved', value: 2 }, knownHosts: '/dev/null' });
  assert.match(label.get('labels') ?? '', /^false faults\d+ has no Approved \+2/);
  assert.match(label.get('events') ?? '', /^false .*no key of 127\.0\.0\.1/);
  assert.match(label.get('git') ?? '', /^false /);
  const { id } = (await done(gerrit.rest('GET', '/groups/Service%20Users'))) as { readonly id: string };
  const forgeCommitter = { rules: { [decodeURIComponent(id)]: { action: 'BLOCK' } } };
  const blocked = { 'refs/heads/*': { permissions: { forgeCommitter } } };
  await done(gerrit.rest('POST', `/projects/${desk.project}/access`, { add: blocked }));
  assert.match((await ask({})).get('rights') ?? '', /^false \S+ may push nobody else's commits in faults\d+: grant/);
  await done(gerrit.rest('POST', `/projects/${desk.project}/access`, { remove: blocked }));
  const rules = { 'global:Registered-Users': { action: 'ALLOW', min: -1, max: 1 } };
  const permissions = { 'label-Verified': { label: 'Verified', exclusive: true, rules } };
  await done(gerrit.rest('POST', `/projects/${desk.project}/access`, { add: { 'refs/heads/*': { permissions } } }));
  assert.match((await ask({})).get('rights') ?? '', /^false \S+ may not vote Verified -2 to \+2 in faults\d+: grant/);
  const password = (await readFile(gerrit.settings.password.file, 'utf8')).trim();
  for (const line of [...alone.values(), ...label.values()]) assert.ok(!line.includes(password), line);
});

test('texts and names of anybody are literal', async (t) => {
  const { gerrit, host, desk } = await open(t);
  const odd = `<img src=x>\u202e "quotes" \\ ${'é'.repeat(3_000)}`;
  const files = { 'a "b" <c>\\d': '1\n', 'é/ü': '1\n' };
  const message = messageFor(odd, `Depends-On: https://elsewhere.example.org/secret/1\nDepends-On: ../x\n`);
  const { number } = await desk.propose({ files, message });
  const read = await host.readChange(`review:${number}`);
  assert.deepEqual(read?.files, Object.keys(files).sort());
  assert.deepEqual(read?.dependsOn, ['https://elsewhere.example.org/secret/1', '../x']);
  assert.ok(read?.message.includes(odd));
  const text = 'recheck\n\n<script>alert(1)</script>';
  await done(gerrit.rest('POST', `/changes/${number}/revisions/1/review`, { message: text }));
  const { events } = await host.readEvents(`review:${number}`, 1);
  assert.equal(events[0]?.comment, text);
  const lines = Array.from(
    { length: 1_000 },
    (_, at) => `- job-${at} FAILURE in 1m 02s: é \u{1f600} ${'ü'.repeat(70)}`,
  );
  const change = `review:${number}`;
  await host.report(gateActor, { key: 'k', change, patchset: 1, message: lines.join('\n'), body: {} });
  const last = (await host.readEvents(change, 2)).events.at(-1);
  assert.match(
    last?.comment ?? '',
    new RegExp(`^- job-0 [\\s\\S]*ü\n\n… the rest is left out: \`sluice change show ${change}\`$`),
  );
  for (const name of [
    '../x',
    'review:1\n',
    '1 OR status:open',
    `I${'0'.repeat(40)}`,
    '\ud800',
    `review:${'9'.repeat(400)}`,
  ]) {
    assert.equal(await host.readChange(name), null, JSON.stringify(name));
  }
});

test('a change on an older patch set of another one is not merged before it is rebased', async (t) => {
  const { host, desk, change, number } = await open(t);
  const on = `refs/changes/${String(number % 100).padStart(2, '0')}/${number}/1`;
  const top = await desk.propose({ files: { b: '1\n' }, message: messageFor(`top of ${desk.project}`), on });
  assert.deepEqual(await host.canMerge(`review:${top.number}`, []), { ok: true });
  await desk.propose({ files: { a: '2\n' }, message: messageFor(`a of ${desk.project}`) });
  const answer = await host.canMerge(`review:${top.number}`, []);
  assert.match(answer.ok ? '' : answer.missing.join(), /stands on an older patch set of change \d+: rebase it/);
  assert.deepEqual((await host.readChange(`review:${top.number}`))?.parents, [change]);
});

test('I9: hashtags and work in progress are as Gerrit has them, and what is in progress is not merged', async (t) => {
  const { gerrit, host, git, change, number } = await open(t);
  const request = await testedRequest({ host, git }, change);
  const act = (path: string, body: object) => done(gerrit.rest('POST', `/changes/${number}/${path}`, body));
  await act('hashtags', { add: ['two words', 'größer'] });
  assert.deepEqual([...((await host.readChange(change))?.hashtags ?? [])].sort(), ['größer', 'two words']);
  await act('wip', { message: 'not yet' });
  const read = await host.readChange(change);
  assert.deepEqual([read?.status, read?.wip, read?.mergeable], ['open', true, false]);
  const missing = await host.canMerge(change, []);
  assert.ok(!missing.ok);
  assert.ok(missing.missing.includes(`change ${number} is work in progress`), missing.missing.join());
  assert.equal((await host.submit(gateActor, request)).kind, 'refused');
  await act('ready', { message: 'now' });
  await act('hashtags', { remove: ['two words'] });
  assert.deepEqual(await host.canMerge(change, []), { ok: true });
  const { events } = await host.readEvents(change, 1);
  assert.deepEqual(
    events.map(({ type, hashtags }) => [type, hashtags?.added.toSorted(), hashtags?.removed]),
    [
      ['hashtags-changed', ['größer', 'two words'], []],
      ['wip-state-changed', undefined, undefined],
      ['wip-state-changed', undefined, undefined],
      ['hashtags-changed', [], ['two words']],
    ],
  );
});

test('I9: a private change is there for Sluice once it is asked to review it; before, nothing is known of it', async (t) => {
  const { gerrit, desk, host, way, change, number } = await open(t);
  await done(gerrit.rest('POST', `/changes/${number}/private`, { message: 'a secret' }));
  assert.equal(await host.readChange(change), null);
  const url = `${way.url}/c/${desk.project}/+/${number}`;
  const message = messageFor(`needs ${change} of ${desk.project}`, `Depends-On: ${url}\n`);
  const needing = `review:${(await desk.propose({ files: { b: '1\n' }, message })).number}`;
  assert.deepEqual((await host.readChange(needing))?.dependsOn, [change], 'who needs it waits for what is not shown');
  assert.deepEqual(
    (await host.listOpenChanges()).map(({ id }) => id),
    [needing],
  );
  await done(gerrit.rest('POST', `/changes/${number}/reviewers`, { reviewer: 'sluice' }));
  assert.equal((await host.readChange(change))?.status, 'open');
  const types = (await host.readEvents(change, 1)).events.map(({ type }) => type);
  assert.ok(types.includes('private-state-changed'), types.join());
});

test('I9: what a change stands on, and what stands on it, is what Gerrit shows as related', async (t) => {
  const { gerrit, desk, host, change, number } = await open(t);
  const chain = [number];
  for (const file of ['b', 'c']) {
    const on = `refs/changes/${String((chain.at(-1) ?? 0) % 100).padStart(2, '0')}/${chain.at(-1)}/1`;
    const message = messageFor(`${file} on top in ${desk.project}`);
    chain.push((await desk.propose({ files: { [file]: '1\n' }, message, on })).number);
  }
  const { changes } = (await done(gerrit.rest('GET', `/changes/${number}/revisions/current/related`))) as {
    changes: { _change_number: number }[];
  };
  const related = changes.map(({ _change_number: one }) => one).toReversed();
  assert.deepEqual(related, chain);
  const parents = await Promise.all(chain.map(async (one) => (await host.readChange(`review:${one}`))?.parents));
  assert.deepEqual(parents, [[], [change], [`review:${chain[1]}`]]);
  assert.deepEqual(
    (await host.changesDependingOn(change)).map(({ id }) => id),
    [`review:${chain[1]}`],
  );
});

test('where Gerrit merges topics whole, changes of one topic need each other', async (t) => {
  const { host, desk } = await open(t);
  const target = `refs/for/master%topic=${desk.project}`;
  const ids: string[] = [];
  for (const file of ['x', 'y']) {
    const message = messageFor(`topic ${file} ${desk.project}`);
    ids.push(`review:${(await desk.propose({ files: { [file]: '1\n' }, message, target })).number}`);
  }
  const read = await Promise.all(ids.map((id) => host.readChange(id)));
  assert.deepEqual(
    read.map((each) => each?.topic),
    [desk.project, desk.project],
  );
  assert.deepEqual(
    read.map((each) => each?.dependsOn),
    [[ids[1]], [ids[0]]],
  );
});

test('without the right to push Gerrit merges, and what it has merged is compared', async (t) => {
  const { gerrit, host, git, desk, change, number } = await open(t);
  await blockPush(gerrit, desk.project);
  const request = await testedRequest({ host, git }, change);
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'merged', state: request.tested });
  const events = (await host.readEvents(`review:${number}`, 1)).events.map(({ type }) => type);
  assert.deepEqual(events, ['change-merged', 'ref-updated']);
});

test('what a look has seen is not asked again before a merge, and what has changed since is seen in time', async (t) => {
  for (const what of ['nothing', 'vote', 'patch set', 'merged'] as const) {
    const { gerrit, way, host, git, desk, change, number } = await open(t, 'All-Projects');
    const review = (labels: object) => done(gerrit.rest('POST', `/changes/${number}/revisions/1/review`, { labels }));
    await review({ 'Code-Review': 2, Workflow: 1 });
    const { ref } = (await host.readChange(change)) ?? { ref: '' };
    await git.ensure(desk.project, [ref]);
    const tested = { project: desk.project, branch: 'master', ...(await git.resolve(desk.project, ref)) };
    await host.readEvents(change, 0);
    if (what === 'vote') await review({ 'Code-Review': -2 });
    if (what === 'patch set')
      await done(
        gerrit.rest('PUT', `/changes/${number}/message`, { message: `More: ${messageFor(`a of ${desk.project}`)}` }),
      );
    if (what === 'merged') await desk.push(`${tested.commit}:refs/heads/master`);
    way.asked.length = 0;
    const report = { key: 'k', message: 'Fine.' };
    const verdict = { Verified: 2, submit: true };
    const result = await host.submit(gateActor, { change, patchset: 1, tested, verdict, report });
    const { messages } = (await done(gerrit.rest('GET', `/changes/${number}?o=MESSAGES`))) as {
      messages: { message: string }[];
    };
    const words = messages.filter(({ message }) => /Fine|Not merged/.test(message)).length;
    const votes = (await host.readChange(change))?.votes.flatMap(({ label, value }) =>
      label === 'Verified' ? [value] : [],
    );
    if (what === 'nothing') {
      assert.equal(result.kind, 'merged');
      const [first, ...others] = way.asked.filter((one) => !one.includes('check.access'));
      assert.match(first ?? '', /^POST .*\/review$/);
      assert.ok(
        others.slice(0, -1).every((one) => one === `GET /a/changes/${desk.project}~${number}`),
        `${others}`,
      );
    } else if (what === 'merged') {
      assert.equal(result.kind, 'already-merged');
      assert.ok(!messages.some(({ message }) => message.includes('Not merged')));
    } else {
      assert.ok(result.kind === 'refused');
      assert.match(result.reason, what === 'vote' ? /Code-Review is not met/ : /is at patch set 2, not 1/);
      assert.deepEqual([votes, words % 2], [[], 0], 'what was said is taken back');
    }
  }
});

test('a host that fails at the merge is asked again later', async (t) => {
  const there = await open(t);
  const { way, host, change, desk, number, commit } = there;
  await blockPush(there.gerrit, desk.project);
  const request = await testedRequest(there, change);
  const full: (typeof troubles)['busy'] = (response) => response.writeHead(500).end('No space left on device');
  way.meet(`/a/changes/${desk.project}~${number}/revisions/${commit}/submit`, full);
  await assert.rejects(host.submit(gateActor, request), { name: 'HostAway' });
  assert.ok(['merged', 'already-merged'].includes((await host.submit(gateActor, request)).kind));
});
