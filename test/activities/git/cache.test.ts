import assert from 'node:assert/strict';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createGit, openCache } from '../../../activities/git/cache.ts';
import { git } from '../../../activities/git/git.ts';
import { repositoryPath } from '../../../activities/git/names.ts';
import { readBranches } from '../../../activities/git/refs.ts';
import { type GitRemote, openRemote, type Peek } from '../../../activities/git/remote.ts';
import { serve } from '../review/http-backend.ts';
import { bareRepository, makeCommit, scratch, setBranch } from './repository.ts';

async function world(t: TestContext) {
  const root = await scratch(t);
  const repo = await bareRepository(join(root, 'host'), 'pkg/alpha');
  const base = await makeCommit(repo, { files: { start: '1' } });
  await setBranch(repo, 'master', base);
  let accesses = 0;
  const remote = (project: string): GitRemote => ({
    url: repositoryPath(join(root, 'host'), project),
    async access() {
      accesses += 1;
      return {};
    },
  });
  const directory = join(root, 'cache');
  const cache = openCache({ directory, remote });
  const move = async (branch: string, files: Record<string, string>, parent = base) => {
    const commit = await makeCommit(repo, { parents: [parent], files });
    await setBranch(repo, branch, commit);
    return commit;
  };
  return { root, repo, base, directory, cache, move, fetched: () => accesses, remote };
}

test('what was never fetched is fetched whole, later what is asked for', async (t) => {
  const { cache, repo, base, move, fetched } = await world(t);
  assert.deepEqual([...(await cache.branches('pkg/alpha'))], [['master', base]]);
  const next = await move('master', { start: '2' });
  assert.equal(await cache.branchTip('pkg/alpha', 'master'), base, 'nobody has asked');
  const change = await makeCommit(repo, { parents: [base], files: { change: '1' } });
  await git(repo, ['update-ref', 'refs/changes/01/1/1', change]);
  await cache.ensure('pkg/alpha', ['refs/changes/01/1/1', 'refs/heads/master']);
  assert.equal(await cache.branchTip('pkg/alpha', 'master'), next);
  assert.equal((await cache.resolve('pkg/alpha', 'refs/changes/01/1/1')).commit, change);
  assert.deepEqual(await cache.changedFiles('pkg/alpha', base, change), ['change']);
  assert.equal(fetched(), 2);
});

test('a state that a branch is known to have been in is not fetched again; another one is', async (t) => {
  const { cache, base, move, fetched } = await world(t);
  const at = (commit: string) => cache.ensure('pkg/alpha', [], { branch: 'master', commit });
  await at(base);
  const next = await move('master', { start: '2' });
  await at(next);
  await at(base);
  await at(next);
  assert.equal(fetched(), 2);
  const aside = await move('master', { start: '3' });
  await at(aside);
  await at(aside);
  assert.equal(fetched(), 3);
  assert.equal(await cache.branchTip('pkg/alpha', 'master'), aside);
});

test('what a host says that is here is not fetched again; what moved, is new or may move is', async (t) => {
  const { root, repo, base, directory, move, fetched, remote } = await world(t);
  const tips: string[] = [];
  const peek: Peek = {
    isFixed: (ref) => ref.startsWith('refs/changes/'),
    async tip(branch) {
      tips.push(branch);
      if (branch === 'away') throw new Error('away');
      return (await readBranches(repo)).get(branch) ?? null;
    },
  };
  const cache = openCache({ directory, remote: (project) => ({ ...remote(project), peek }) });
  const propose = async (number: number) => {
    const ref = `refs/changes/0${number}/${number}/1`;
    await git(repo, ['update-ref', ref, await makeCommit(repo, { parents: [base], files: { change: `${number}` } })]);
    return ref;
  };
  const [one, two] = [await propose(1), await propose(2)];
  const ensure = async (refs: string[], branches: string[]) => {
    const before = fetched();
    await cache.ensure('pkg/alpha', refs, { branches });
    return fetched() - before;
  };
  const begun = [ensure([one, two], []), ensure([one], ['master'])];
  await Promise.all(begun);
  assert.equal(fetched(), 1, 'who comes meanwhile waits for what brings it');
  assert.equal(await ensure([one, two], ['master', 'none']), 0);
  assert.equal(await ensure([await propose(3)], []), 1);
  const tip = await move('master', { start: '2' });
  assert.equal(await ensure([one], []), 0);
  assert.equal(await ensure([one], ['master']), 1);
  assert.equal(await cache.branchTip('pkg/alpha', 'master'), tip);
  assert.equal(await ensure([one], ['master']), 0);
  assert.equal(await ensure([one, 'refs/heads/master'], ['master']), 1);
  assert.equal(await ensure([one], ['away']), 1);
  assert.deepEqual([...new Set(tips)], ['master', 'none', 'away']);
  const plain = openCache({ directory: join(root, 'other'), remote });
  for (const count of [1, 2]) {
    await plain.ensure('pkg/alpha', [one], { branches: [] });
    assert.equal(
      (await plain.resolve('pkg/alpha', one)).tree,
      (await cache.resolve('pkg/alpha', one)).tree,
      `${count}`,
    );
  }
});

test('branches and tags that are gone at the host are gone here; speculative states and changes stay', async (t) => {
  const { cache, repo, base, directory, move } = await world(t);
  await move('old', { old: '1' });
  await git(repo, ['update-ref', 'refs/tags/v1', base]);
  const change = await makeCommit(repo, { parents: [base], files: { change: '1' } });
  await git(repo, ['update-ref', 'refs/changes/01/1/1', change]);
  await cache.ensure('pkg/alpha', ['refs/changes/01/1/1']);
  const proposal = { id: 'c', project: 'pkg/alpha', branch: 'master', commit: 'refs/changes/01/1/1' };
  const [made] = await cache.merge({ items: [{ key: 'k', base: null, changes: [proposal] }] });
  assert.equal(made?.kind, 'ready');
  await git(repo, ['update-ref', '-d', 'refs/heads/old']);
  await git(repo, ['update-ref', '-d', 'refs/tags/v1']);
  await git(repo, ['update-ref', 'refs/heads/old/new', base]);
  await cache.ensure('pkg/alpha', []);
  assert.deepEqual([...(await cache.branches('pkg/alpha')).keys()], ['master', 'old/new']);
  const refs = await git(repositoryPath(directory, 'pkg/alpha'), ['for-each-ref', '--format=%(refname)']);
  assert.match(
    refs,
    /^refs\/changes\/01\/1\/1\nrefs\/heads\/master\nrefs\/heads\/old\/new\nrefs\/sluice\/states\/\S+\nrefs\/sluice\/tips\/\S+\n$/,
  );
});

test('there is one fetch at a time, and one more for all that come meanwhile', async (t) => {
  const { cache, fetched, move } = await world(t);
  await Promise.all(Array.from({ length: 20 }, () => cache.ensure('pkg/alpha', [])));
  assert.equal(fetched(), 1, 'none of them was late');
  const first = cache.ensure('pkg/alpha', []);
  while (fetched() < 2) await new Promise((resolve) => setImmediate(resolve));
  const tip = await move('master', { start: '2' });
  await Promise.all([first, ...Array.from({ length: 20 }, () => cache.ensure('pkg/alpha', ['refs/heads/master']))]);
  assert.equal(fetched(), 3);
  assert.equal(await cache.branchTip('pkg/alpha', 'master'), tip, 'what came after the move has seen it');
});

test('a host that is away, and one that refuses, are told apart; neither leaves anything behind', async (t) => {
  const { root, cache, directory } = await world(t);
  const access = async () => ({ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'x.y', GIT_CONFIG_VALUE_0: 'canary-secret' });
  const away = openCache({ directory, remote: () => ({ url: 'http://127.0.0.1:1/pkg/alpha', access }) });
  await assert.rejects(away.branches('pkg/alpha'), (error: Error) => {
    assert.deepEqual([error.name, (error.cause as Error).name], ['NotFetched', 'HostAway']);
    assert.match(error.message, /^the host does not answer for pkg\/alpha: fatal: unable to access/);
    assert.doesNotMatch(error.message, /canary/);
    return true;
  });
  await assert.rejects(
    cache.ensure('none', []),
    (error: Error) => error.name === 'Error' && /none/.test(error.message),
  );
  assert.deepEqual(
    (await readdir(directory, { recursive: true })).filter((name) => name.startsWith('none')),
    [],
  );
  const open = createGit(() => ({
    kind: 'fetched',
    repo: join(root, 'x.git'),
    host: 'review',
    remote: openRemote('ext::sh -c true'),
  }));
  await assert.rejects(open.ensure('p', []), /transport 'ext' not allowed/);
});

test('a first fetch that was killed leaves nothing that looks whole, and what it left goes after a day', async (t) => {
  const { cache, directory, base } = await world(t);
  const repo = repositoryPath(directory, 'pkg/alpha');
  const [fresh, old] = [`${repo}.1.partial`, `${repo}.2.partial`];
  for (const partial of [fresh, old]) {
    await git(partial, ['init', '--quiet', '--bare', partial]);
    await writeFile(join(partial, 'objects', 'half'), 'x');
  }
  const before = Date.now() / 1000 - 25 * 3600;
  await utimes(old, before, before);
  assert.equal((await cache.branches('pkg/alpha')).get('master'), base);
  assert.deepEqual((await readdir(dirname(repo))).sort(), ['alpha.git', 'alpha.git.1.partial']);
});

test('several processes may fetch a project for the first time at once: each has it, and nothing else is left', async (t) => {
  const { repo: host, base, directory } = await world(t);
  // All begin before the first one ends.
  const all = Promise.withResolvers<void>();
  let begun = 0;
  const remote = (): GitRemote => ({
    url: host,
    async access() {
      begun += 1;
      if (begun === 4) all.resolve();
      await all.promise;
      return {};
    },
  });
  const caches = Array.from({ length: 4 }, () => openCache({ directory, remote }));
  const change = await makeCommit(host, { parents: [base], files: { change: '1' } });
  await git(host, ['update-ref', 'refs/changes/01/1/1', change]);
  const wanted = caches.map(async (cache, index) => {
    await cache.ensure('pkg/alpha', index === 0 ? ['refs/changes/01/1/1'] : []);
    return (await cache.branches('pkg/alpha')).get('master');
  });
  assert.deepEqual(await Promise.all(wanted), [base, base, base, base]);
  assert.equal((await caches[1]?.resolve('pkg/alpha', 'refs/changes/01/1/1'))?.commit, change);
  assert.deepEqual(await readdir(join(directory, 'pkg')), ['alpha.git']);
});

test('hostile names reach neither a path nor a command line; unusual branches are left out', async (t) => {
  const { cache, repo, base } = await world(t);
  for (const name of ['../x', '-x', 'a/../b', '']) await assert.rejects(cache.ensure(name, []), { name: 'BadName' });
  for (const ref of ['--upload-pack=x', 'refs/../x', 'master', 'refs/heads/a b']) {
    await assert.rejects(cache.ensure('pkg/alpha', [ref]), { name: 'BadName' });
  }
  await git(repo, ['update-ref', 'refs/heads/-dash', base]);
  await git(repo, ['update-ref', 'refs/heads/ü', base]);
  assert.deepEqual([...(await cache.branches('pkg/alpha')).keys()], ['master']);
});

test('a tested commit is pushed where the branch is what it was, and nowhere else', async (t) => {
  const { cache, repo, base, move } = await world(t);
  const change = await makeCommit(repo, { parents: [base], files: { change: '1' }, time: 1_700_000_100 });
  await git(repo, ['update-ref', 'refs/changes/01/1/1', change]);
  await move('master', { start: '2' });
  await cache.ensure('pkg/alpha', ['refs/changes/01/1/1']);
  const tip = (await cache.branchTip('pkg/alpha', 'master')) ?? '';
  const proposal = { id: 'c', project: 'pkg/alpha', branch: 'master', commit: 'refs/changes/01/1/1' };
  const [made] = await cache.merge({ items: [{ key: 'k', base: null, changes: [proposal] }] });
  const commit = made?.kind === 'ready' ? (made.sources[0]?.commit ?? '') : '';
  const state = { project: 'pkg/alpha', branch: 'master', commit };
  assert.equal((await cache.push(state, base)).kind, 'moved', 'another one than expected');
  assert.equal((await cache.push({ ...state, branch: 'new' }, base)).kind, 'moved', 'there is no such branch');
  assert.deepEqual(await cache.push(state, tip), { kind: 'pushed' });
  assert.deepEqual(await cache.push(state, tip), { kind: 'pushed' }, 'again');
  assert.equal((await git(repo, ['rev-parse', 'refs/heads/master'])).trim(), commit);
  assert.equal(await cache.branchTip('pkg/alpha', 'master'), commit);
  assert.deepEqual(await cache.push({ ...state, branch: 'new' }, null), { kind: 'pushed' });
  assert.equal((await cache.push({ ...state, commit: base }, commit)).kind, 'refused', 'backwards');
  const merged = await cache.readMerged({ ...state, commit: base });
  assert.deepEqual([merged?.commit, merged?.tip], [base, commit]);
});

test('a page in the place of a repository takes no branch away, and a HEAD that stands for nothing is no page', async (t) => {
  const { root, repo, base } = await world(t);
  const host = await serve(t, join(root, 'host'), 'sluice');
  let away = false;
  const front = createServer((request, response) => {
    if (away) response.end('<html>We are back soon');
    else response.writeHead(307, { location: `${host}${request.url}` }).end();
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  t.after(() => front.close());
  const { port } = front.address() as { port: number };
  const remote = (project: string) => openRemote(`http://127.0.0.1:${port}/${project}.git`);
  const cache = openCache({ directory: join(root, 'by-http'), remote });
  await cache.ensure('pkg/alpha', []);
  away = true;
  await assert.rejects(cache.ensure('pkg/alpha', []), { name: 'HostAway', message: /shows no branch of pkg.alpha/ });
  assert.deepEqual([...(await cache.branches('pkg/alpha'))], [['master', base]]);
  away = false;
  await git(repo, ['symbolic-ref', 'HEAD', 'refs/heads/nothing']);
  await setBranch(repo, 'other', base);
  await cache.ensure('pkg/alpha', []);
  assert.deepEqual([...(await cache.branches('pkg/alpha')).keys()], ['master', 'other']);
});

/** A remote over an ssh that loses the exit status of its commands, as one does before a busy Gerrit. */
async function overForgetfulSsh(root: string): Promise<(project: string) => GitRemote> {
  const script = join(root, 'ssh');
  await writeFile(script, '#!/bin/sh\nfor last; do :; done; sh -c "$last"; exit 255\n', { mode: 0o755 });
  return (project) => ({
    url: `ssh://host${repositoryPath(join(root, 'host'), project)}`,
    access: async () => ({ GIT_SSH_COMMAND: script, GIT_SSH_VARIANT: 'ssh' }),
  });
}

test('an ssh that loses the exit status is asked again, and what it pushed is not lost', async (t) => {
  const { root, repo, base, directory } = await world(t);
  const cache = openCache({ directory, remote: await overForgetfulSsh(root) });
  assert.deepEqual([...(await cache.branches('pkg/alpha'))], [['master', base]]);
  const tested = await makeCommit(repositoryPath(directory, 'pkg/alpha'), { parents: [base], files: { start: '2' } });
  const state = { project: 'pkg/alpha', branch: 'master', commit: tested };
  assert.deepEqual(await cache.push(state, base), { kind: 'pushed' });
  assert.equal((await git(repo, ['rev-parse', 'refs/heads/master'])).trim(), tested);
});

test('a host that does not let us push says so', async (t) => {
  const { cache, repo, base } = await world(t);
  const commit = await makeCommit(repo, { parents: [base], files: { start: '2' } });
  await git(repo, ['update-ref', 'refs/changes/01/1/1', commit]);
  await cache.ensure('pkg/alpha', ['refs/changes/01/1/1']);
  await mkdir(join(repo, 'hooks'));
  await writeFile(join(repo, 'hooks/update'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const pushed = await cache.push({ project: 'pkg/alpha', branch: 'master', commit }, base);
  assert.deepEqual(pushed, { kind: 'refused', reason: '(hook declined)' });
});

test('I9: what Sluice has pushed is not fetched again, also when the host tells of it before the push has ended', async (t) => {
  const { cache, repo, base, fetched } = await world(t);
  await cache.branches('pkg/alpha');
  const commit = await makeCommit(repo, { parents: [base], files: { start: '2' } });
  await git(repo, ['update-ref', 'refs/changes/01/1/1', commit]);
  await cache.ensure('pkg/alpha', ['refs/changes/01/1/1']);
  const asked = fetched();
  const pushing = cache.push({ project: 'pkg/alpha', branch: 'master', commit }, base);
  await cache.ensure('pkg/alpha', [], { branch: 'master', commit });
  assert.deepEqual(await pushing, { kind: 'pushed' });
  assert.equal(fetched(), asked + 1, 'the push alone');
  await cache.ensure('pkg/alpha', [], { branch: 'master', commit: 'a'.repeat(40) });
  assert.equal(fetched(), asked + 2, 'what is elsewhere is asked for');
});

/** A cache that tests changes for `master` and `rel/1`, and for nobody else's branches. */
async function watching(t: TestContext) {
  const it = await world(t);
  const { repo, cache, directory, move } = it;
  const next = await move('master', { start: '2' });
  for (const branch of ['rel/1', 'mine']) await setBranch(repo, branch, next);
  await cache.ensure('pkg/alpha', []);
  const items = ['master', 'rel/1'].map((branch) => ({
    key: branch,
    base: null,
    changes: [{ id: branch, project: 'pkg/alpha', branch, commit: next }],
  }));
  await cache.merge({ items });
  const taken = () => Promise.all(['master', 'rel/1', 'mine'].map((branch) => cache.takenFrom('pkg/alpha', branch)));
  const look = () => cache.ensure('pkg/alpha', []).then(taken);
  return { ...it, next, at: repositoryPath(directory, 'pkg/alpha'), taken, look };
}

test('I9: what was taken from a branch that changes are tested on is known from the next fetch on', async (t) => {
  const { repo, base, cache, move, next, at, look } = await watching(t);
  const last = await move('master', { start: '3' }, next);
  assert.deepEqual(await look(), [[], [], []], 'it only moved on');
  for (const branch of ['master', 'mine']) await setBranch(repo, branch, base);
  await git(repo, ['update-ref', '-d', 'refs/heads/rel/1']);
  for (const _ of [1, 2]) assert.deepEqual(await look(), [[last], [next], []]);
  // It was long ago, was given back, and is taken again: from then on it counts.
  const [ref = ''] = (await git(at, ['for-each-ref', '--format=%(refname)', `--points-at=${last}`])).split('\n');
  await git(at, ['update-ref', ref.replace(/20[0-9-]{8}/, '2001-01-01'), last]);
  await git(at, ['update-ref', '-d', ref]);
  for (const tip of [last, base]) {
    await setBranch(repo, 'master', tip);
    assert.deepEqual(await look(), [[last], [next], []]);
  }
  await cache.expire(['pkg/alpha'], { now: Date.now(), dryRun: false });
  assert.deepEqual(await look(), [[last], [next], []]);
  const later = 91 * 24 * 3_600_000;
  await cache.expire(['pkg/alpha'], { now: Date.now() + later, dryRun: false });
  assert.deepEqual(await look(), [[], [], []]);
});

test('I9: what was taken is known after a fetch that failed halfway, one that was killed, and a push of ours', async (t) => {
  const { repo, base, cache, move, next, at, taken, look } = await watching(t);
  await move('zz', { start: '4' });
  await setBranch(repo, 'master', base);
  await writeFile(join(at, 'refs/heads/zz.lock'), '');
  await assert.rejects(cache.ensure('pkg/alpha', []));
  assert.equal(await cache.branchTip('pkg/alpha', 'master'), base, 'Git moves what it can');
  assert.deepEqual(await taken(), [[next], [], []]);
  await rm(join(at, 'refs/heads/zz.lock'));
  // Nobody has compared what a killed one has moved.
  await setBranch(at, 'rel/1', base);
  assert.deepEqual(await look(), [[next], [next], []]);
  const ours = await makeCommit(at, { parents: [base], files: { ours: '1' } });
  const pushed = await cache.push({ project: 'pkg/alpha', branch: 'master', commit: ours }, base);
  assert.equal(pushed.kind, 'pushed');
  await setBranch(repo, 'master', base);
  const [master] = await look();
  assert.deepEqual(master?.toSorted(), [next, ours].toSorted());
});
