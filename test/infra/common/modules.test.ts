import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createGit, type GitPlace } from '../../../activities/git/cache.ts';
import { git } from '../../../activities/git/git.ts';
import { repositoryPath } from '../../../activities/git/names.ts';
import { openRemote } from '../../../activities/git/remote.ts';
import type { GatedProject } from '../../../activities/layout/layouts.ts';
import { fetchModules, type ModulesDeps } from '../../../infra/common/modules.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../../activities/git/repository.ts';

/** Projects by the connection that each is of; `here` is Sluice's own host. */
async function installation(t: TestContext, projects: Readonly<Record<string, 'here' | 'far'>>) {
  const root = await scratch(t);
  const hosts = { here: join(root, 'git'), far: join(root, 'host') };
  const remote = (project: string) => openRemote(repositoryPath(hosts.far, project));
  const find = (project: string): GitPlace => {
    if (projects[project] !== 'far') return { kind: 'served', repo: repositoryPath(hosts.here, project) };
    return {
      kind: 'fetched',
      repo: repositoryPath(join(root, 'cache'), project),
      host: 'far',
      remote: remote(project),
    };
  };
  const project = (name: string) =>
    projects[name] === undefined ? undefined : ({ name, connection: projects[name] } as GatedProject);
  const live = { project } as ModulesDeps['live'];
  const refresh = (name: string) => sources.ensure(name, []);
  const sources = createGit(find, fetchModules({ find, live, remotes: new Map([['far', remote]]), refresh }));
  const library = async (host: 'here' | 'far', name: string, text: string) => {
    const repo = await bareRepository(hosts[host], name);
    const commit = await makeCommit(repo, { files: { text } });
    await setBranch(repo, 'master', commit);
    return commit;
  };
  const app = async (host: 'here' | 'far', name: string, { at, url }: { at: string; url: string }) => {
    const repo = await bareRepository(hosts[host], name);
    const modules = `[submodule "s"]\n\tpath = s\n\turl = ${url}\n`;
    const env = { GIT_INDEX_FILE: join(root, `index-${host}`) };
    await git(repo, ['read-tree', await makeCommit(repo, { files: { '.gitmodules': modules } })], { env });
    await git(repo, ['update-index', '--add', '--cacheinfo', `160000,${at},s`], { env });
    const tree = (await git(repo, ['write-tree'], { env })).trim();
    const who = {
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@x.org',
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@x.org',
    };
    const commit = (await git(repo, ['commit-tree', tree, '-m', 'App'], { env: who })).trim();
    await setBranch(repo, 'master', commit);
    await sources.ensure(name, []);
    const directory = join(await scratch(t), 'tree');
    const found = await sources.exportTree({ project: name, branch: 'master', commit }, directory);
    return { found, text: await readFile(join(directory, 's/text'), 'utf8') };
  };
  return { library, app, sources };
}

test('submodules of projects that Sluice serves are projects that it serves', async (t) => {
  const { library, app } = await installation(t, { 'own/app': 'here', 'own/lib': 'here', 'own/more': 'here' });
  const at = await library('here', 'own/lib', 'lib');
  const { found, text } = await app('here', 'own/app', { at, url: '../lib.git' });
  assert.deepEqual([found, text], [[{ path: 's', commit: at, source: 'own/lib' }], 'lib']);
  await library('here', 'own/stranger', 'x');
  await assert.rejects(app('here', 'own/more', { at, url: '../stranger' }), /there is no project own\/stranger here/);
});

test('at another host a project is brought up to date, a stranger is fetched, and a project of another host is neither', async (t) => {
  const projects = {
    'own/app': 'far',
    'own/two': 'far',
    'own/three': 'far',
    'own/lib': 'far',
    'own/near': 'here',
  } as const;
  const { library, app, sources } = await installation(t, projects);
  const at = await library('far', 'own/lib', 'lib');
  const own = await app('far', 'own/app', { at, url: '../lib' });
  assert.deepEqual([own.found, own.text], [[{ path: 's', commit: at, source: 'own/lib' }], 'lib']);
  assert.equal(await sources.branchTip('own/lib', 'master'), at);
  const strange = await library('far', 'else/lib', 'else');
  const stranger = await app('far', 'own/two', { at: strange, url: '../../else/lib.git' });
  assert.match(stranger.found[0]?.source ?? '', /\/host\/else\/lib\.git$/);
  assert.equal(stranger.text, 'else');
  const near = await library('here', 'own/near', 'near');
  await assert.rejects(app('far', 'own/three', { at: near, url: '../near' }), /cannot be fetched from "\.\.\/near"/);
});
