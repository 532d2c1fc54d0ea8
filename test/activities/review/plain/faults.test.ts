import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createGit } from '../../../../activities/git/cache.ts';
import { git } from '../../../../activities/git/git.ts';
import { readBranch } from '../../../../activities/git/refs.ts';
import { openRemote } from '../../../../activities/git/remote.ts';
import { openPlain } from '../../../../activities/review/plain/adapter.ts';
import type { News, Occurrence } from '../../../../activities/review/port.ts';
import { readSecret } from '../../../../activities/review/secret.ts';
import { proposalsOf } from '../../../../activities/review/settings.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import type { Change } from '../../../../pipelines/model/change.ts';
import { standsOnTaken } from '../../../../pipelines/report/taken.ts';
import { makeCommit, scratch, setBranch } from '../../git/repository.ts';
import { serve } from '../http-backend.ts';
import { testedRequest } from '../tested.ts';
import { openPlainWorld, type PlainWorld, place } from './world.ts';

async function read({ host }: PlainWorld, id: string): Promise<Change> {
  const change = await host.readChange(id);
  assert.ok(change, `there is no change ${id}`);
  return change;
}

async function tested(world: PlainWorld, id: string) {
  const { project } = place(id);
  const { newrev = '' } = await read(world, id);
  const tip = (await readBranch(world.repo(project), 'master')) ?? '';
  const tree = (await git(world.repo(project), ['rev-parse', `${newrev}^{tree}`])).trim();
  return { tip, state: { project, branch: 'master', commit: newrev, tree } };
}

test('plain Git: the tested commit itself lands, by the very push of it', async (t) => {
  const world = await openPlainWorld(t);
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  const { state } = await tested(world, id);
  const result = await world.host.submit(gateActor, { change: id, patchset: 1, tested: state });
  assert.deepEqual(result, { kind: 'merged', state });
  assert.equal(await readBranch(world.repo('alpha'), 'master'), state.commit);
});

test('plain Git: merged outside is merged, whoever did it; what is proposed after it is the next patch set', async (t) => {
  const world = await openPlainWorld(t);
  const { host, push, repo } = world;
  const id = await push({ project: 'alpha', file: 'a', content: '1' });
  const { newrev = '' } = await read(world, id);
  const request = await testedRequest(world, id);
  await setBranch(repo('alpha'), 'master', newrev);
  await git(repo('alpha'), ['update-ref', '-d', `refs/heads/proposed/${place(id).topic}`]);
  assert.equal((await read(world, id)).status, 'merged');
  const { events, last } = await host.readEvents(id, 1);
  assert.deepEqual(
    events.map(({ type, newrev: to }) => [type, to]),
    [['change-merged', newrev]],
  );
  assert.equal((await host.submit(gateActor, request)).kind, 'already-merged');
  await push({ project: 'alpha', file: 'b', content: '1', amend: id });
  const again = await read(world, id);
  assert.deepEqual([again.status, again.patchset], ['open', 2]);
  assert.deepEqual(
    (await host.readEvents(id, last)).events.map(({ type }) => type),
    ['patchset-created'],
  );
});

test('plain Git: a branch that was forced back makes the tested state void, and its changes stay open', async (t) => {
  const world = await openPlainWorld(t);
  const { host, push, moveBranch, repo } = world;
  const first = await readBranch(repo('alpha'), 'master');
  await moveBranch('alpha');
  const id = await push({ project: 'alpha', file: 'a', content: '1' });
  const base = await readBranch(repo('alpha'), 'master');
  const request = { ...(await testedRequest(world, id)), base };
  await setBranch(repo('alpha'), 'master', first ?? '');
  const submit = () => host.submit(gateActor, { ...request, mode: 'rebase' });
  assert.equal((await submit()).kind, 'moved', 'what was taken from it does not come back');
  const reason = standsOnTaken(base ?? '', { project: 'alpha', branch: 'master', head: '' });
  const refused = { kind: 'refused', reason };
  assert.deepEqual(await host.submit(gateActor, request), refused, 'tested again, it would bring it back');
  await assert.rejects(testedRequest(world, id), /which was taken from master of alpha: rebase it/, 'nor is it tested');
  const again = { ...request, base: first };
  assert.deepEqual(await host.submit(gateActor, again), refused, 'as it was tested before anybody noticed');
  assert.equal(await readBranch(repo('alpha'), 'master'), first);
  await setBranch(
    repo('alpha'),
    'master',
    await makeCommit(repo('alpha'), { parents: [first ?? ''], files: { z: '1' } }),
  );
  assert.equal((await submit()).kind, 'moved');
  assert.equal((await read(world, id)).status, 'open');
});

test('plain Git: a host that lets nobody push there refuses the merge, and is not away', async (t) => {
  const world = await openPlainWorld(t, { serve: (root) => serve(t, root, 'sluice') });
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  const request = await testedRequest(world, id);
  await git(world.repo('alpha'), ['config', 'http.receivepack', 'false']);
  const reason = 'plain does not let Sluice push to master: it answers 403 to whoever pushes';
  assert.deepEqual(await world.host.submit(gateActor, request), { kind: 'refused', reason });
});

test('plain Git: a branch that is deleted with changes open for it is named, and nothing is merged', async (t) => {
  const world = await openPlainWorld(t);
  const { host, repo } = world;
  const master = (await readBranch(repo('alpha'), 'master')) ?? '';
  await setBranch(repo('alpha'), 'stable', master);
  const commit = await makeCommit(repo('alpha'), { parents: [master], files: { a: '1' } });
  await setBranch(repo('alpha'), 'proposed/stable/fix', commit);
  const id = 'plain:alpha@stable/fix';
  assert.equal((await read(world, id)).branch, 'stable');
  const request = await testedRequest(world, id);
  await git(repo('alpha'), ['update-ref', '-d', 'refs/heads/stable']);
  const change = await read(world, id);
  assert.deepEqual([change.branch, change.status], ['stable', 'open'], 'it is not for another branch now');
  assert.deepEqual(await host.canMerge(id, []), { ok: false, missing: ['alpha has no branch stable any more'] });
  const result = await host.submit(gateActor, request);
  assert.deepEqual(result, { kind: 'refused', reason: 'alpha has no branch stable any more' });
});

test('plain Git: names that are not of the safe kind are nobody else’s trouble', async (t) => {
  const world = await openPlainWorld(t);
  const { host, repo } = world;
  const master = (await readBranch(repo('alpha'), 'master')) ?? '';
  const commit = await makeCommit(repo('alpha'), {
    parents: [master],
    files: { a: '1' },
    message: '\ud800<b>\u202e\n',
  });
  for (const name of ['-x', '--upload-pack=x', '<img>', "a'b", '$(id)', 'ü', 'x;y']) {
    await git(repo('alpha'), ['update-ref', `refs/heads/proposed/${name}`, commit]);
    await git(repo('alpha'), ['update-ref', `refs/heads/${name}`, master]);
    await git(repo('alpha'), ['update-ref', `refs/notes/votes/${name}`, commit]);
  }
  const blob = (await git(repo('alpha'), ['hash-object', '-w', '--stdin'], { input: 'no notes' })).trim();
  await git(repo('alpha'), ['update-ref', 'refs/notes/votes/eve', blob]);
  await setBranch(repo('alpha'), 'proposed/fine', commit);
  assert.deepEqual(
    (await host.listOpenChanges()).map(({ id }) => id),
    ['plain:alpha@fine'],
  );
  assert.deepEqual(
    (await host.branches('alpha')).map(({ name }) => name),
    ['master'],
  );
});

test('plain Git: a branch that holds nothing new is no change', async (t) => {
  const world = await openPlainWorld(t);
  const master = (await readBranch(world.repo('alpha'), 'master')) ?? '';
  await setBranch(world.repo('alpha'), 'proposed/nothing', master);
  assert.equal(await world.host.readChange('plain:alpha@nothing'), null);
  assert.deepEqual(await world.host.listOpenChanges(), []);
});

test('S1: plain Git: what is only proposed is merged nowhere, whatever a release calls it', async (t) => {
  const world = await openPlainWorld(t);
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  const { tip, state } = await tested(world, id);
  const find = (branch: string, commit: string) => world.host.readMerged({ project: 'alpha', branch, commit });
  assert.equal((await find('master', tip))?.tip, tip);
  for (const branch of [`proposed/${place(id).topic}`, 'master']) assert.equal(await find(branch, state.commit), null);
});

test('plain Git: what is only proposed is no branch that configuration is read from', async (t) => {
  const world = await openPlainWorld(t);
  await world.push({ project: 'alpha', file: 'zuul.yaml', content: '[]' });
  const settings = { driver: 'git', url: world.repo('alpha') } as const;
  const remote = openRemote(world.repo('alpha'));
  const proposals = proposalsOf(settings);
  assert.ok(proposals);
  const repo = join(await scratch(t), 'alpha.git');
  const cache = createGit(() => ({ kind: 'fetched', repo, host: 'plain', remote, proposals }));
  assert.deepEqual([...(await cache.branches('alpha')).keys()], ['master']);
  assert.notEqual(await cache.branchTip('alpha', 'proposed/topic-1'), null, 'it is here to be tested');
});

test('plain Git: a note is added to, comments are what was added, and Sluice hears nothing of its own', async (t) => {
  const world = await openPlainWorld(t);
  const { host, push, say } = world;
  const id = await push({ project: 'alpha', file: 'a', content: '1' });
  await say(id, 'Looks good.\n\nApproved: +1');
  const { last } = await host.readEvents(id, 0);
  await say(id, 'recheck');
  const report = { key: 'k', change: id, patchset: 1, message: 'recheck\nApproved: +2', body: { Verified: 1 } };
  await host.report(gateActor, report);
  const { events } = await host.readEvents(id, last);
  const told = events.map(({ type, comment, account }) => [type, comment, account?.username]);
  assert.deepEqual(told, [
    ['comment-added', 'recheck', 'bob'],
    ['report', 'recheck\n Approved: +2', 'sluice'],
  ]);
  const votes = (await read(world, id)).votes.map(({ label, value, by }) => [label, value, by]);
  assert.deepEqual(votes, [
    ['Approved', 1, 'bob'],
    ['Verified', 1, 'sluice'],
  ]);
});

test('plain Git: a veto holds up the merge until it is taken back', async (t) => {
  const world = await openPlainWorld(t, { settings: { approve: { label: 'Workflow' } } });
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  await world.say(id, 'Workflow: +2', 'ada');
  await world.say(id, 'Approved: -1\nWorkflow: -1');
  const missing = ['bob voted Approved -1', 'bob voted Workflow -1'];
  assert.deepEqual(await world.host.canMerge(id, []), { ok: false, missing });
  const submit = async () => world.host.submit(gateActor, await testedRequest(world, id));
  assert.deepEqual(await submit(), { kind: 'refused', reason: missing[0] });
  await world.say(id, 'Approved: 0\nWorkflow: 0');
  assert.equal((await submit()).kind, 'merged');
});

test('plain Git: two who write notes at once both have them there', async (t) => {
  const world = await openPlainWorld(t);
  const [one, two] = [
    await world.push({ project: 'alpha', file: 'a', content: '1' }),
    await world.push({ project: 'alpha', file: 'b', content: '1' }),
  ];
  const [here, there] = [world.host, world.reopen().host];
  await read(world, one);
  const say = (host: PlainWorld['host'], change: string) =>
    host.report(gateActor, { key: change, change, patchset: 1, message: 'fine', body: { Verified: 1 } });
  await Promise.all([say(here, one), say(there, two)]);
  for (const id of [one, two]) assert.equal((await read(world, id)).votes.length, 1, id);
});

/** Everything that a connection tells until `enough` is true. */
async function listen(world: PlainWorld, enough: (news: readonly News[]) => boolean, warn = (_: string) => {}) {
  const stopping = new AbortController();
  const told: Occurrence[] = [];
  const news = () => told.flatMap((one) => one.news);
  const take = async (occurrence: Occurrence) => {
    told.push(occurrence);
    if (enough(news())) stopping.abort();
  };
  await world.connection.stream?.listen({ take, warn, heard: () => {}, signal: stopping.signal });
  return { told, news: news() };
}

test('plain Git: what happened while nobody looked is told at the next look, and what was there at the first is not', async (t) => {
  const world = await openPlainWorld(t);
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  const first = await listen(world, (news) => news.length >= 1);
  assert.deepEqual(first.news, [{ kind: 'look', change: id }]);
  const before = await readBranch(world.repo('alpha'), 'master');
  await world.moveBranch('alpha');
  await world.tag('alpha', 'v1');
  await world.say(id, 'Approved: +1');
  const again = { ...world, connection: world.reopen() };
  const { news } = await listen(again, (all) => all.length >= 3);
  const [branch, tag, look] = news;
  const after = await readBranch(world.repo('alpha'), 'master');
  assert.ok(branch?.kind === 'event' && tag?.kind === 'event');
  const { type, ref, oldrev, newrev } = branch.event;
  assert.deepEqual([type, ref, oldrev, newrev], ['ref-updated', 'refs/heads/master', before, after]);
  assert.deepEqual([tag.event.ref, tag.event.newrev, tag.event.oldrev], ['refs/tags/v1', after, '0'.repeat(40)]);
  assert.deepEqual(look, { kind: 'look', change: id });
});

test('plain Git: a hook has a project looked at now; without its secret nothing is', async (t) => {
  const secret = join(await scratch(t), 'hook');
  await writeFile(secret, 'a-secret-of-the-hook\n');
  const world = await openPlainWorld(t, { settings: { poll: 3_600_000, webhookSecret: { file: secret } } });
  const { webhook } = world.connection;
  assert.ok(webhook);
  const without = (await openPlainWorld(t, { settings: { poll: 3_600_000 } })).connection.webhook;
  assert.equal(await without?.isSigned({ headers: { authorization: 'Bearer ' }, body: Buffer.alloc(0) }), false);
  const signed = (authorization: string) => webhook.isSigned({ headers: { authorization }, body: Buffer.alloc(0) });
  assert.deepEqual(
    [await signed('Bearer a-secret-of-the-hook'), await signed('Bearer x'), await signed('')],
    [true, false, false],
  );
  for (const content of [null, {}, { project: '../x' }, { project: 7 }])
    assert.equal(webhook.read({}, content).kind, 'malformed');
  let id = '';
  const listening = listen(world, (news) => news.some((one) => one.kind === 'look'));
  await world.host.listOpenChanges();
  id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  // Twice, and of a project that did not change, too: each look finds what there is.
  for (const project of ['alpha', 'alpha', 'beta']) assert.equal(webhook.read({}, { project }).kind, 'occurrence');
  assert.deepEqual((await listening).news, [{ kind: 'look', change: id }]);
});

test('plain Git: a host that is away is waited for, and its changes are what they were', async (t) => {
  const world = await openPlainWorld(t);
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  await read(world, id);
  const at = world.repo('alpha');
  await rename(at, `${at}.away`);
  await assert.rejects(world.host.readChange(id), /does not answer for alpha/);
  assert.deepEqual(await world.host.listOpenChanges(), [], 'the other project is read');
  await rename(`${at}.away`, at);
  const change = await read(world, id);
  assert.deepEqual([change.status, change.patchset], ['open', 1]);
  assert.equal((await world.host.readEvents(id, 0)).last, 1);
});

const answers = [
  [503, 'busy', 'text/plain'],
  [429, 'slowly', 'text/plain'],
  [200, '<html>sign in', 'text/html'],
  [200, '<html>\nsign in\n', 'text/html'],
  [200, '001e# service=git-upl', 'application/x-git-upload-pack-advertisement'],
] as const;

type Answer = readonly [status: number, body: string, type: string];

/** Git's own web server behind one that answers for it where it has something to say. */
function openBehind(t: TestContext, answerOf: (url: string) => Answer | null): Promise<PlainWorld> {
  return openPlainWorld(t, {
    serve: async (root) => {
      const behind = await serve(t, root, 'sluice');
      const server = createServer((request, response) => {
        const answer = answerOf(request.url ?? '');
        if (answer === null) return void response.writeHead(307, { location: `${behind}${request.url}` }).end();
        const [status, body, type] = answer;
        response.writeHead(status, { 'content-type': type }).end(body);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    },
  });
}

test('plain Git: a 403 to a push is a refusal by the words of the host alone, or where it goes on to answer who reads', async (t) => {
  let [words, reads] = ['', true];
  let pushed = false;
  const world = await openBehind(t, (url) => {
    pushed ||= url.includes('git-receive-pack');
    return pushed && (!reads || url.includes('git-receive-pack')) ? [403, words, 'text/plain'] : null;
  });
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  const request = await testedRequest(world, id);
  const submit = (said: string, readsOn: boolean) => {
    [words, reads, pushed] = [said, readsOn, false];
    return world.host.submit(gateActor, request);
  };
  const refused = {
    kind: 'refused',
    reason: `plain does not let Sluice push to master: Permission to alpha denied to sluice.`,
  };
  assert.deepEqual(await submit('Permission to alpha denied to sluice.\n', true), refused);
  for (const said of ['You have exceeded a secondary rate limit.\n', 'Down for maintenance\n']) {
    await assert.rejects(submit(said, true), { name: 'HostAway' }, said);
  }
  await assert.rejects(submit('', false), { name: 'HostAway' });
  [words, pushed] = ['Too many requests\n', true];
  await assert.rejects(world.host.readChange(id), { name: 'HostAway' }, 'who reads is told so, too');
});

test('plain Git: 503, 429, pages and half an answer are a host that is away: no change is lost', async (t) => {
  let answer: Answer | null = null;
  const world = await openBehind(t, () => answer);
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  await read(world, id);
  for (answer of answers) {
    await assert.rejects(world.host.readChange(id), { name: 'HostAway' }, answer.join(' '));
  }
  answer = null;
  const change = await read(world, id);
  assert.deepEqual([change.status, change.patchset], ['open', 1]);
});

test('plain Git: a password goes in a header and stands nowhere else; a wrong one is said so', async (t) => {
  const file = join(await scratch(t), 'password');
  await writeFile(file, 'correct-horse\n');
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization ?? '');
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const world = await openPlainWorld(t, { serve: async () => url, settings: { user: 'ada', password: { file } } });
  const basic = Buffer.from('ada:correct-horse').toString('base64');
  await assert.rejects(world.host.readChange('plain:alpha@x'), (error: Error) => {
    assert.ok(!/correct-horse/.test(error.message) && !error.message.includes(basic), error.message);
    return true;
  });
  assert.ok(heard.includes(`Basic ${basic}`));
});

test('plain Git: a host that takes no pushes says so at the merge, at the vote and to the doctor', async (t) => {
  const world = await openPlainWorld(t);
  const id = await world.push({ project: 'alpha', file: 'a', content: '1' });
  const { state } = await tested(world, id);
  const hooks = join(await scratch(t), 'pre-receive');
  await writeFile(hooks, '#!/bin/sh\necho "the disk is full" >&2\nexit 1\n');
  await chmod(hooks, 0o755);
  await git(world.repo('alpha'), ['config', 'core.hooksPath', join(hooks, '..')]);
  const result = await world.host.submit(gateActor, { change: id, patchset: 1, tested: state });
  assert.equal(result.kind, 'refused');
  assert.match(
    'reason' in result ? result.reason : '',
    /plain does not let Sluice push to master: \(pre-receive hook declined\)/,
  );
  const report = { key: 'k', change: id, patchset: 1, message: 'fine', body: { Verified: 1 } };
  await assert.rejects(world.host.report(gateActor, report), { name: 'HostRefusal' });
  assert.equal((await read(world, id)).status, 'open');
});

test('plain Git: the doctor asks the host line by line, and says what to do', async (t) => {
  const world = await openPlainWorld(t);
  const lines = (await world.connection.check?.()) ?? [];
  assert.deepEqual(
    lines.map(({ name, ok }) => [name, ok]),
    ['login', 'events', 'git', 'labels', 'rights', 'webhook', 'clock'].map((name) => [name, true]),
  );
  await rename(world.repo('alpha'), `${world.repo('alpha')}.away`);
  const missing = (await world.connection.check?.()) ?? [];
  assert.deepEqual(
    missing.filter(({ ok }) => !ok).map(({ name }) => name),
    ['git'],
    'the host answers, and the other project is looked at',
  );
  assert.match(missing.find(({ ok }) => !ok)?.message ?? '', /^there is no alpha at .*: name them under "projects"/);
  await rename(world.repo('beta'), `${world.repo('beta')}.away`);
  const [login, ...more] = (await world.connection.check?.()) ?? [];
  assert.deepEqual([login?.name, login?.ok, more], ['login', false, []]);
  const none = openPlain({
    ...{ name: 'plain', repositories: '/nowhere/git', page: '', owns: () => true, readSecret },
    ...{ settings: { driver: 'git', url: '/nowhere' }, git: {} as never },
  });
  assert.match(
    (await none.check?.())?.[0]?.message ?? '',
    /sluice.yaml has no project of it: add \{connection: plain\}/,
  );
});
