import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exportTree } from '../../../activities/git/export.ts';
import { createBringModules, type ModuleSite } from '../../../activities/git/fetch-modules.ts';
import { git } from '../../../activities/git/git.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import { type BringModules, namedModules } from '../../../activities/git/modules.ts';
import { must } from '../../../activities/process/run.ts';
import { openTokenRemote } from '../../../activities/review/token-remote.ts';
import { serve } from '../review/http-backend.ts';
import { bareRepository, makeCommit, scratch, setBranch } from './repository.ts';

/** A host of repositories over HTTP that notes who asks, and a cache in which one of its projects is. */
async function openHost(t: TestContext) {
  const root = await scratch(t);
  const behind = await serve(t, root, undefined);
  const asked: { path: string; authorization: string | undefined }[] = [];
  /** What is answered for a path that has a word in it: a status, and its text. */
  const closed = new Map<string, readonly [number, string]>();
  const front = createServer((request, response) => {
    asked.push({ path: request.url ?? '', authorization: request.headers.authorization });
    const [status, words] = [...closed].find(([word]) => request.url?.includes(word))?.[1] ?? [];
    if (status !== undefined) return void response.writeHead(status, { 'content-type': 'text/plain' }).end(words);
    void forward(behind, request).then(({ status, headers, body }) => response.writeHead(status, headers).end(body));
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    front.closeAllConnections();
    front.close();
  });
  return { root, url: `http://127.0.0.1:${(front.address() as { port: number }).port}`, asked, closed };
}

async function forward(to: string, request: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { 'content-type': type, 'git-protocol': protocol, 'content-encoding': encoding } = request.headers;
  const answer = await fetch(`${to}${request.url}`, {
    method: request.method ?? 'GET',
    headers: {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(protocol === undefined ? {} : { 'git-protocol': String(protocol) }),
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    },
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
  });
  const headers = { 'content-type': answer.headers.get('content-type') ?? 'text/plain' };
  return { status: answer.status, headers, body: Buffer.from(await answer.arrayBuffer()) };
}

type Host = Awaited<ReturnType<typeof openHost>>;

/** A commit with submodules, by path: what they are at, and what `.gitmodules` gives as address. */
async function commitWith(
  repo: string,
  modules: Readonly<Record<string, { at: string; url?: string; more?: string }>>,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const entries = Object.entries(modules).filter(([, { url }]) => url !== undefined);
  const text = entries
    .map(([path, { url, more = '' }]) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n${more}`)
    .join('');
  const base = await makeCommit(repo, { files: { ...files, ...(text === '' ? {} : { '.gitmodules': text }) } });
  const env = { GIT_INDEX_FILE: join(repo, `links-${base}`), ...person };
  await git(repo, ['read-tree', base], { env });
  for (const [path, { at }] of Object.entries(modules)) {
    await git(repo, ['update-index', '--add', '--cacheinfo', `160000,${at},${path}`], { env });
  }
  const tree = (await git(repo, ['write-tree'], { env })).trim();
  const commit = (await git(repo, ['commit-tree', tree, '-m', 'Submodules'], { env })).trim();
  await setBranch(repo, 'master', commit);
  return commit;
}

const person = Object.fromEntries(
  ['AUTHOR', 'COMMITTER'].flatMap((each) => [
    [`GIT_${each}_NAME`, 'Ada'],
    [`GIT_${each}_EMAIL`, 'ada@example.org'],
    [`GIT_${each}_DATE`, '1700000000 +0000'],
  ]),
);

async function library(root: string, name: string, files: Readonly<Record<string, string>>) {
  const repo = await bareRepository(root, name);
  const commit = await makeCommit(repo, { files });
  await setBranch(repo, 'master', commit);
  return { repo, commit };
}

const token = 'very-secret-token';

/** Sluice's side: the repository of `own/app`, fetched from the host, and who brings its submodules. */
async function openSide(t: TestContext, host: Host, more: Partial<ModuleSite> = {}) {
  const cache = await scratch(t);
  const repo = await bareRepository(cache, 'own/app');
  const remote = (name: string) => openTokenRemote({ url: host.url, user: 'sluice', token: async () => token }, name);
  const usual = { repo, host: 'tea', address: remote('own/app').url, site: host.url, remote, project: () => null };
  const site: ModuleSite = { ...usual, ...more };
  const bring = createBringModules(() => site);
  const build = async (commit: string, by: BringModules = bring) => {
    await git(repo, ['fetch', '--quiet', join(host.root, 'own/app.git'), `+${commit}:refs/heads/${commit}`]);
    const directory = join(await scratch(t), 'tree');
    const modules = () => by('own/app', commit);
    return { directory, modules: await exportTree({ repo, commit, branch: 'master', directory, modules }) };
  };
  return { repo, site, bring, build };
}

async function filesOf(directory: string): Promise<Record<string, string>> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = names
    .filter(
      (each) => each.isFile() && !/(^|\/)\.git(\/|$)/.test(`${each.parentPath.slice(directory.length)}/${each.name}`),
    )
    .map((each) => join(each.parentPath, each.name));
  const read = paths.map(async (path) => [path.slice(directory.length + 1), await readFile(path, 'utf8')] as const);
  return Object.fromEntries((await Promise.all(read)).sort());
}

test('the tree of a build is what git clone --recurse-submodules gives, submodules in submodules too', async (t) => {
  const [host, other] = [await openHost(t), await openHost(t)];
  const deep = await library(host.root, 'lib/deep', {
    deep: 'deep',
    '.gitattributes': '*.txt eol=crlf\n',
    'a.txt': 'a\n',
  });
  const middle = await bareRepository(host.root, 'lib/middle');
  const middleAt = await commitWith(
    middle,
    { 'nested/deep': { at: deep.commit, url: '../deep.git' } },
    { middle: 'm' },
  );
  const far = await library(other.root, 'else/far', { far: 'far' });
  const app = await bareRepository(host.root, 'own/app');
  const commit = await commitWith(
    app,
    {
      'sub/middle': { at: middleAt, url: '../../lib/middle.git' },
      far: { at: far.commit, url: `${other.url}/else/far.git` },
      left: { at: far.commit, url: `${other.url}/gone.git`, more: '\tupdate = none\n' },
    },
    { 'main.c': 'int main;' },
  );
  const { build } = await openSide(t, host);
  const { directory, modules } = await build(commit);
  const clone = join(await scratch(t), 'clone');
  await must('git', ['clone', '--quiet', '--recurse-submodules', `${host.url}/own/app.git`, clone]);
  const built = await filesOf(directory);
  assert.deepEqual(built, await filesOf(clone));
  assert.equal(built['sub/middle/nested/deep/a.txt'], 'a\r\n');
  assert.deepEqual(modules, [
    { path: 'far', commit: far.commit, source: `${other.url}/else/far.git` },
    { path: 'sub/middle', commit: middleAt, source: `${host.url}/lib/middle.git` },
    { path: 'sub/middle/nested/deep', commit: deep.commit, source: `${host.url}/lib/deep.git` },
  ]);
  assert.equal((await must('git', ['-C', directory, 'status', '--porcelain'])).stdout, '', 'nothing is changed there');
  // Both were asked, and only the project's own host has seen Sluice's token.
  const basic = `Basic ${Buffer.from(`sluice:${token}`).toString('base64')}`;
  assert.ok(host.asked.some(({ path, authorization }) => path.startsWith('/lib/deep.git') && authorization === basic));
  assert.ok(other.asked.length > 0);
  assert.deepEqual(
    other.asked.filter(({ authorization }) => authorization !== undefined),
    [],
  );
  // What is here is not asked for again.
  const before = [host.asked.length, other.asked.length];
  await build(commit);
  assert.deepEqual([host.asked.length, other.asked.length], before);
});

test('a submodule that cannot be had is named with its commit and address', async (t) => {
  const host = await openHost(t);
  const lib = await library(host.root, 'lib/lib', { lib: 'lib' });
  const app = await bareRepository(host.root, 'own/app');
  const { build } = await openSide(t, host);
  const gone = '1'.repeat(40);
  const at = lib.commit;
  const rows: readonly (readonly [string, { at: string; url?: string }, RegExp])[] = [
    [
      'no such commit',
      { at: gone, url: '../../lib/lib.git' },
      /"s" at 1{40} cannot be fetched from "\.\.\/\.\.\/lib\/lib\.git": there is no such commit$/,
    ],
    ['no such repository', { at, url: '../../lib/none.git' }, /cannot be fetched from .*not found/],
    ['no address', { at }, /"s" is a Git submodule of which \.gitmodules gives no url/],
    ['a path of this machine', { at, url: lib.repo }, /submodules are fetched by https or http, or from/],
    ['the same as a URL', { at, url: `file://${lib.repo}` }, /submodules are fetched by https or http, or from/],
    ['a program', { at, url: 'ext::true' }, /submodules are fetched by https or http, or from/],
    ['ssh elsewhere', { at, url: 'git@elsewhere.example:lib.git' }, /submodules are fetched by https or http, or from/],
    ['an option', { at, url: '-u./payload' }, /its address is none that Git takes/],
    [
      'a password',
      { at, url: 'http://me:hush@127.0.0.1:1/lib' },
      /from "http:\/\/127\.0\.0\.1:1\/lib": its address has a password in it$/,
    ],
    ['out of the host', { at, url: '../../../../lib' }, /its address leads out of the host/],
    ['a name that is none', { at, url: '../../.ssh/id' }, /submodules are fetched by https or http, or from/],
  ];
  for (const [what, module, error] of rows) {
    const commit = await commitWith(app, { s: module }, { what });
    await assert.rejects(build(commit), error, what);
  }
});

test('I9: a host that does not let Sluice read a submodule is named with its words and what mends it', async (t) => {
  const host = await openHost(t);
  const { commit: at } = await library(host.root, 'lib/lib', { lib: 'lib' });
  const app = await bareRepository(host.root, 'own/app');
  const { build } = await openSide(t, host);
  const commit = await commitWith(app, { s: { at, url: '../../lib/lib.git' } });
  const refused = /^SourceFault: the submodule "s" at \w+ cannot be fetched from "\.\.\/\.\.\/lib\/lib\.git": (.*)$/;
  for (const [status, words, said] of [
    [403, 'You have no access.', ' (You have no access.)'],
    [403, '', ''],
    [401, '', ''],
  ] as const) {
    host.closed.set('/lib/lib', [status, words]);
    const [, reason] = refused.exec(String(await build(commit).catch((error) => error))) ?? [];
    assert.equal(reason, `tea does not let us read it${said}: give Sluice's account there the right to`);
  }
  host.closed.set('/lib/lib', [403, 'You have exceeded a rate limit']);
  await assert.rejects(build(commit), { name: 'HostAway' });
  host.closed.clear();
  await build(commit);
});

test('of several submodules that cannot be had all are named, those that can are fetched meanwhile', async (t) => {
  const host = await openHost(t);
  const { commit: at } = await library(host.root, 'lib/one', { one: 'one' });
  const side = await openSide(t, host);
  const app = await bareRepository(host.root, 'own/app');
  const modules = {
    a: { at, url: '../../../../lib' },
    good: { at, url: '../../lib/one.git' },
    z: { at, url: 'ftp://x.org/lib' },
  };
  const refused = /^SourceFault: the submodule "a" at .*: its address leads out of the host; the submodule "z" at /;
  await assert.rejects(side.build(await commitWith(app, modules)), refused);
  assert.ok((await git(side.repo, ['for-each-ref', '--points-at', at])).includes(at));
  const many = Object.fromEntries(Array.from({ length: 14 }, (_, n) => [`m${n + 10}`, { at, url: 'ftp://x.org/lib' }]));
  const failed = await side.build(await commitWith(app, many)).catch((error: Error) => error.message);
  assert.equal(String(failed).match(/the submodule "/g)?.length, 10);
});

test('a commit that is here already is asked of every address that is said to have it', async (t) => {
  const host = await openHost(t);
  const lib = await library(host.root, 'lib/lib', { lib: 'lib' });
  await library(host.root, 'lib/other', { other: 'other' });
  const copy = join(host.root, 'lib/copy.git');
  await must('git', ['clone', '--quiet', '--bare', lib.repo, copy]);
  const app = await bareRepository(host.root, 'own/app');
  const { build } = await openSide(t, host);
  const at = (url: string) => commitWith(app, { s: { at: lib.commit, url } });
  await build(await at('../../lib/lib.git'));
  await assert.rejects(build(await at('../../lib/other.git')), /there is no such commit$/);
  await assert.rejects(build(await at('../../lib/none.git')), /not found/);
  await assert.rejects(build(await at('http://169.254.169.254/lib.git')), /its host is this machine itself/);
  const { modules } = await build(await at('../../lib/copy.git'));
  assert.deepEqual(
    modules.map(({ source }) => source),
    [`${host.url}/lib/copy.git`],
  );
});

test('what is too large ends while it comes, and nobody follows a host that leads on', async (t) => {
  const host = await openHost(t);
  const large = await library(host.root, 'lib/large', { large: randomBytes(40_000).toString('base64') });
  const app = await bareRepository(host.root, 'own/app');
  const { build, site } = await openSide(t, host);
  const small = createBringModules(() => site, 20_000);
  const of = (path: string, to: string) => commitWith(app, { s: { at: large.commit, url: `${to}${path}` } });
  await assert.rejects(build(await of('/lib/large.git', host.url), small), /its history is larger than 20000 bytes/);
  const leading = createServer((request, response) =>
    response.writeHead(301, { location: `${host.url}${request.url}` }).end(),
  );
  await new Promise<void>((resolve) => leading.listen(0, '127.0.0.1', resolve));
  t.after(() => leading.close());
  const url = `http://127.0.0.1:${(leading.address() as { port: number }).port}`;
  const asked = host.asked.length;
  await assert.rejects(build(await of('/lib/large.git', url)), /it was moved: \.gitmodules must name where it is now/);
  assert.equal(host.asked.length, asked);
});

test('what answers on this machine is for nobody who pushes a change', async (t) => {
  const host = await openHost(t);
  const lib = await library(host.root, 'lib/lib', { lib: 'lib' });
  const app = await bareRepository(host.root, 'own/app');
  const { build } = await openSide(t, host, { address: join(host.root, 'own/app.git'), site: host.root, remote: null });
  for (const name of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0.0.0.0', '169.254.169.254']) {
    const url = host.url.replace('127.0.0.1', name);
    const commit = await commitWith(app, { s: { at: lib.commit, url: `${url}/lib/lib.git` } });
    await assert.rejects(build(commit), /its host is this machine itself/, name);
  }
  assert.deepEqual(host.asked, []);
});

test('a project of Sluice is taken from its own repository here', async (t) => {
  const host = await openHost(t);
  const lib = await library(host.root, 'lib/lib', { lib: 'lib' });
  const app = await bareRepository(host.root, 'own/app');
  const commit = await commitWith(app, { s: { at: lib.commit, url: 'git@127.0.0.1:lib/lib.git' } });
  const cache = await scratch(t);
  const cached = await bareRepository(cache, 'lib/lib');
  let refreshed = 0;
  const refresh = async () => {
    refreshed += 1;
    await git(cached, ['fetch', '--quiet', lib.repo, '+refs/heads/*:refs/heads/*']);
  };
  const project = (name: string) => (name === 'lib/lib' ? { repo: cached, refresh } : null);
  const { build } = await openSide(t, host, { project });
  const { directory, modules } = await build(commit);
  assert.deepEqual([await readFile(join(directory, 's/lib'), 'utf8'), refreshed, host.asked], ['lib', 1, []]);
  assert.deepEqual(modules, [{ path: 's', commit: lib.commit, source: 'lib/lib' }]);
  const lost = await commitWith(app, { s: { at: '2'.repeat(40), url: '../../lib/lib.git' } });
  await assert.rejects(build(lost), /"s" at 2{40} cannot be fetched from .*: lib\/lib has no such commit/);
});

test('submodules in each other end somewhere', async (t) => {
  const host = await openHost(t);
  let at = (await library(host.root, 'lib/d0', { d: '0' })).commit;
  for (let depth = 1; depth <= 11; depth += 1) {
    const repo = await bareRepository(host.root, `lib/d${depth}`);
    at = await commitWith(repo, { s: { at, url: `../d${depth - 1}.git` } });
  }
  const app = await bareRepository(host.root, 'own/app');
  const { build } = await openSide(t, host);
  await assert.rejects(
    build(await commitWith(app, { s: { at, url: '../../lib/d11.git' } })),
    /more than 10 submodules in each other/,
  );
});

test('a worker takes no submodule for another, and none that it was not brought', async (t) => {
  const host = await openHost(t);
  const lib = await library(host.root, 'lib/lib', { lib: 'lib' });
  const app = await bareRepository(host.root, 'own/app');
  const commit = await commitWith(app, { s: { at: lib.commit, url: '../../lib/lib.git' } });
  const { build, bring } = await openSide(t, host);
  await bring('own/app', commit).catch(() => {});
  await assert.rejects(
    build(commit, async () => []),
    /the submodule "s" is not here at/,
  );
  const wrong = async () => [{ path: 's', commit, source: 'x' }];
  await assert.rejects(build(commit, wrong), /the submodule "s" is not here at/);
});

test('a host that gives no commit by its id is asked for its branches', async (t) => {
  const host = await openHost(t);
  const lib = await library(host.root, 'lib/lib', { lib: 'one' });
  const next = await makeCommit(lib.repo, { files: { lib: 'two' }, parents: [lib.commit] });
  await setBranch(lib.repo, 'master', next);
  const app = await bareRepository(host.root, 'own/app');
  const commit = await commitWith(app, { s: { at: lib.commit, url: '../../lib/lib.git' } });
  const remote = () => ({ url: `${host.url}/lib/lib.git`, access: async () => oldProtocol });
  const { build, repo } = await openSide(t, host, { remote });
  const { directory } = await build(commit);
  assert.equal(await readFile(join(directory, 's/lib'), 'utf8'), 'one');
  assert.equal(await git(repo, ['for-each-ref', 'refs/sluice/submodules']), '');
});

test('what the merged tree names is fetched; two changes of one submodule are a conflict', async (t) => {
  const root = await scratch(t);
  const ids = ['1', '2', '3'].map((digit) => digit.repeat(40));
  const [old = '', one = '', two = ''] = ids;
  const repo = await bareRepository(root, 'app');
  const base = await commitWith(repo, { s: { at: old, url: '../lib.git' } }, { file: 'a' });
  const change = async (id: string, at: string, file: string, url = '../lib.git') => {
    const commit = await commitWith(repo, { s: { at, url } }, { file });
    const tree = (await git(repo, ['rev-parse', `${commit}^{tree}`])).trim();
    const env = { env: person };
    const own = (await git(repo, ['commit-tree', tree, '-p', base, '-m', id], env)).trim();
    return { id, project: 'app', branch: 'master', commit: own };
  };
  const changes = [
    await change('A', one, 'a'),
    await change('B', old, 'b'),
    await change('C', two, 'a'),
    await change('D', old, 'a', '../moved.git'),
  ];
  await setBranch(repo, 'master', base);
  const bases = [null, 'A', 'B', 'B'];
  const items = changes.map((each, at) => ({ key: each.id, base: bases[at] ?? null, changes: [each] }));
  const [, second, third, fourth] = await createLocalGit(root).merge({ items });
  assert.deepEqual(third, { key: 'C', kind: 'conflict', change: 'C', message: 'C: conflicts in s' });
  const named = async (result: typeof second) =>
    result?.kind === 'ready' ? namedModules(repo, result.sources[0]?.commit ?? '') : result;
  assert.deepEqual(await named(second), [{ path: 's', commit: one, url: '../lib.git' }]);
  assert.deepEqual(await named(fourth), [{ path: 's', commit: one, url: '../moved.git' }]);
});

/** Servers that speak it give only what a ref is at. */
const oldProtocol = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'protocol.version', GIT_CONFIG_VALUE_0: '0' };
