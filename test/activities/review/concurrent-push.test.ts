import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { git } from '../../../activities/git/git.ts';
import { readRefs } from '../../../activities/git/refs.ts';
import { createGitHost } from '../../../activities/review/git/adapter.ts';
import { createPeople } from '../../../activities/review/git/people.ts';
import { receive } from '../../../activities/review/git/receive/receive.ts';
import { gateActor } from '../../../pipelines/model/actor.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';
import { account, gatedProject, idFor, messageFor, openDesk } from './developer.ts';

async function setup(t: TestContext) {
  const directory = await scratch(t);
  const data = join(directory, 'data');
  const path = await gatedProject(data, 'alpha');
  const settings = { root: join(data, 'git'), connection: 'git', page: '' };
  const open = (name: string) => openDesk(join(directory, name), path, name);
  return { directory, path, settings, open, host: createGitHost(settings), people: createPeople(settings) };
}

test('two first pushes of one change at once are one change with two patch sets', async (t) => {
  const { open, host, path } = await setup(t);
  const desks = [await open('Ada'), await open('Bob')];
  const commits = await Promise.all(desks.map((desk, index) => desk.commit('a', `${index}`, messageFor('same'))));
  const pushed = await Promise.all(desks.map((desk) => desk.push('refs/for/master')));
  for (const { code, stderr } of pushed) assert.equal(code, 0, stderr);
  const changes = await host.listOpenChanges();
  assert.deepEqual(
    changes.map(({ patchset }) => patchset),
    [2],
  );
  const refs = await readRefs(path, 'refs/changes');
  const patchsets = [...refs].filter(([ref]) => !ref.endsWith('/meta')).map(([, commit]) => commit);
  assert.deepEqual(patchsets.sort(), commits.sort());
});

test('pushes, votes and reports at once lose nothing', async (t) => {
  const root = join(await scratch(t), 'git');
  const repo = await bareRepository(root, 'alpha');
  const base = await makeCommit(repo, { files: { start: '' } });
  await setBranch(repo, 'master', base);
  const settings = { root, connection: 'git', page: '' };
  const [host, people] = [createGitHost(settings), createPeople(settings)];
  const push = async (content: string) => {
    const commit = await makeCommit(repo, { parents: [base], files: { a: content }, message: messageFor('same') });
    const commands = [{ ref: 'refs/for/master', old: '0'.repeat(40), new: commit }];
    return receive(settings, { project: 'alpha', commands, options: [], pusher: account('Ada'), remote: 'origin' });
  };
  await push('first');
  await Promise.all([
    ...['1', '2', '3'].map(push),
    ...['Ada', 'Bob', 'Eve'].map((by) => people.comment(account(by), '1', 'recheck')),
    ...['k1', 'k2'].map((key) => host.report(gateActor, { key, change: '1', patchset: 1, message: key, body: {} })),
  ]);
  const { events, last } = await host.readEvents('1', 0);
  assert.equal(last, 9);
  const counts = Object.groupBy(events, ({ type }) => type);
  assert.equal(counts['patchset-created']?.length, 4);
  assert.equal(counts['comment-added']?.length, 5);
});

test('a push whose hook is killed leaves all or nothing, and can be repeated', async (t) => {
  const { open, host, path } = await setup(t);
  const desk = await open('Ada');
  // The first is killed before it can do much, the later ones further on.
  for (const delay of [50, 100, 150, 200, 300, 450, 700]) {
    const word = `kill ${delay}`;
    await desk.git('reset', '-q', '--hard', 'origin/master');
    for (const part of ['lower', 'upper']) await desk.commit(`${part} ${delay}`, '1', messageFor(`${word} ${part}`));
    const pushing = spawn('git', ['push', '-q', 'origin', 'HEAD:refs/for/master'], { cwd: desk.directory });
    const ended = once(pushing, 'exit');
    await sleep(delay);
    await killHook(pushing);
    await ended;
    await quiet(path);
    const found = await Promise.all(['lower', 'upper'].map((part) => host.readChange(idFor(`${word} ${part}`))));
    const made = found.filter((change) => change !== null);
    assert.ok(made.length === 0 || made.length === 2, `${made.length} of 2 changes after ${delay} ms`);
    t.diagnostic(`killed after ${delay} ms: ${made.length === 2 ? 'all' : 'nothing'}`);
    const again = await desk.push('refs/for/master');
    assert.match(again.stderr, made.length === 2 ? /no new changes/ : /patch set 1 \(new\)/);
  }
  assert.equal((await host.listOpenChanges()).length, 14);
  assert.equal(await git(path, ['fsck', '--no-dangling', '--no-progress']), '');
});

/** Kills the hook's process, and nothing else: not git, which waits for it. */
async function killHook(pushing: ChildProcess): Promise<void> {
  for (const pid of await descendants(pushing.pid ?? 0)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!/proc-receive/.test(command) || /receive-pack/.test(command)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

async function descendants(parent: number): Promise<number[]> {
  const text = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  const deeper = await Promise.all(children.map(descendants));
  return [...children, ...deeper.flat()];
}

/** Waits for the git processes that the killed hook had started: they finish or fall silent by themselves. */
async function quiet(path: string): Promise<void> {
  for (let calm = 0; calm < 3; ) {
    await sleep(50);
    const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const commands = await Promise.all(
      processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    calm = commands.some((command) => command.startsWith('git\0') && command.includes(path)) ? 0 : calm + 1;
  }
}
