import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hostArch } from '../../activities/host-arch.ts';
import { must, run } from '../../activities/process/run.ts';
import { loadConfig } from '../../infra/config/load.ts';
import { builtInArchitectures, foreignTo } from '../../pipelines/model/architecture.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

async function open(t: TestContext) {
  const cwd = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  t.after(() => rm(cwd, { recursive: true, force: true, maxRetries: 5 }));
  const sluice = (...args: string[]) => run(process.execPath, [main, ...args], { cwd });
  const git = (...args: string[]) =>
    must('git', ['-C', join(cwd, 'upstream'), '-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args]);
  return { cwd, sluice, git };
}

async function upstream({ cwd, git }: Awaited<ReturnType<typeof open>>, files: readonly string[]) {
  await must('git', ['init', '-q', '-b', 'debian/latest', join(cwd, 'upstream')]);
  for (const file of files) {
    await must('mkdir', ['-p', join(cwd, 'upstream', file, '..')]);
    await writeFile(join(cwd, 'upstream', file), 'x\n');
  }
  await git('add', '.');
  await git('commit', '-q', '-m', 'Start');
  await git('tag', 'v1');
}

test('init writes a configuration that loads, once', async (t) => {
  const { cwd, sluice } = await open(t);
  assert.equal((await sluice('init')).code, 0);
  const config = loadConfig({ directory: cwd });
  assert.equal(config.data, join(cwd, 'data'));
  const again = await sluice('init');
  assert.deepEqual([again.code, /is there already/.test(again.stderr)], [1, true]);
});

test('project add imports branches and tags, finds the templates, and keeps comments', async (t) => {
  const world = await open(t);
  const { cwd, sluice } = world;
  await upstream(world, ['debian/control', 'tool.spec', 'src/a.c']);
  await sluice('init');
  const added = await sluice('project', 'add', 'tool', 'upstream', '--queue', 'core');
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /git push origin HEAD:refs\/for\/debian\/latest/);
  const { projects } = loadConfig({ directory: cwd });
  assert.deepEqual(projects.tool?.templates, ['deb-package', 'rpm-package']);
  assert.deepEqual([projects.tool?.queue, projects.tool?.url], ['core', join(cwd, 'upstream')]);
  assert.match(await readFile(join(cwd, 'sluice.yaml'), 'utf8'), /# Address of the page and the API\./);
  const repo = join(cwd, 'data/git/tool.git');
  const refs = (await must('git', ['-C', repo, 'for-each-ref', '--format=%(refname)'])).stdout;
  assert.match(refs, /^refs\/heads\/debian\/latest$/m);
  assert.match(refs, /^refs\/tags\/v1$/m);
  assert.equal((await stat(join(repo, 'hooks/proc-receive'))).mode & 0o777, 0o755);
});

test('project add renews hooks and keeps what is configured', async (t) => {
  const world = await open(t);
  const { cwd, sluice } = world;
  await upstream(world, ['debian/control']);
  await writeFile(join(cwd, 'sluice.yaml'), 'projects:\n  tool: {queue: core, templates: [mine]} # ours\n');
  await sluice('project', 'add', 'tool', 'upstream');
  await rm(join(cwd, 'data/git/tool.git/hooks/proc-receive'));
  const again = await sluice('project', 'add', 'tool', '--json');
  assert.equal(again.code, 0, again.stderr);
  const { created, queue, templates } = JSON.parse(again.stdout);
  assert.deepEqual({ created, queue, templates }, { created: false, queue: 'core', templates: ['mine'] });
  await stat(join(cwd, 'data/git/tool.git/hooks/proc-receive'));
  assert.match(await readFile(join(cwd, 'sluice.yaml'), 'utf8'), /# ours/);
});

test('B3: new branches and tags of upstream are taken over, and nothing that is there moves', async (t) => {
  const world = await open(t);
  const { cwd, sluice, git } = world;
  await upstream(world, ['debian/control']);
  await sluice('init');
  await sluice('project', 'add', 'tool', 'upstream');
  const repo = join(cwd, 'data/git/tool.git');
  const at = async (ref: string) => (await must('git', ['-C', repo, 'rev-parse', ref])).stdout.trim();
  const before = await at('debian/latest');
  await git('commit', '-q', '--allow-empty', '-m', 'Upstream goes on');
  await git('branch', 'debian/sid');
  await git('branch', 'odd,name');
  await git('tag', '-a', '-m', 'Two', 'debian/1%2.0-1');
  const imported = await sluice('project', 'import', 'tool', '--json');
  assert.equal(imported.code, 0, imported.stderr);
  assert.deepEqual(JSON.parse(imported.stdout), {
    added: ['refs/heads/debian/sid', 'refs/tags/debian/1%2.0-1'],
    kept: ['refs/heads/debian/latest'],
    unfit: ['refs/heads/odd,name'],
  });
  assert.equal(await at('debian/latest'), before);
  assert.notEqual(await at('debian/sid'), before);
  assert.match((await sluice('project', 'import', 'tool')).stdout, /nothing new/);

  const made = await sluice('branch', 'add', 'tool', 'stable', '--from', 'debian/latest');
  assert.match(made.stdout, /push to refs\/for\/stable/);
  assert.equal(await at('stable'), before);
  for (const [words, ...args] of [
    [/there is a branch stable already/, 'tool', 'stable', '--from', 'debian/latest'],
    [/no branch and no commit "nowhere"/, 'tool', 'other', '--from', 'nowhere'],
    [/cannot be a branch/, 'tool', '-x', '--from', 'stable'],
    [/there is no repository/, 'none', 'other', '--from', 'stable'],
  ] as const) {
    const refused = await sluice('branch', 'add', ...args.slice(2), '--', ...args.slice(0, 2));
    assert.match(refused.stderr, words);
    assert.notEqual(refused.code, 0);
  }
});

test('a push names the page where it is, though the server has moved since the project was added', async (t) => {
  const world = await open(t);
  const { cwd, sluice, git } = world;
  await upstream(world, ['debian/control']);
  await sluice('init');
  const moved = (port: number) => {
    const stack = { url: `http://127.0.0.1:${port}`, temporal: '127.0.0.1:9', namespace: 'default', temporalUi: null };
    return writeFile(join(cwd, 'data/holder.json'), JSON.stringify({ pid: process.pid, command: 'test', stack }));
  };
  await must('mkdir', ['-p', join(cwd, 'data')]);
  await moved(1);
  await sluice('project', 'add', 'tool', 'upstream');
  await moved(9);
  await git('commit', '-q', '--allow-empty', '-m', 'Go on\n\nChange-Id: I1234567890123456789012345678901234567890');
  const target = join(cwd, 'data/git/tool.git');
  const pushed = await run('git', ['-C', join(cwd, 'upstream'), 'push', target, 'HEAD:refs/for/debian/latest']);
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.match(pushed.stderr, /http:\/\/127\.0\.0\.1:9\/change\/git:1/);
});

const refusals: readonly [says: string, code: number, words: RegExp, args: readonly string[]][] = [
  ['a name that leaves the directory', 2, /cannot be a project's name/, ['project', 'add', '../x', 'upstream']],
  ['a name with a space', 2, /cannot be a project's name/, ['project', 'add', 'a b', 'upstream']],
  [
    'a queue with a space',
    2,
    /^"a b" cannot be a queue: .*letters/,
    ['project', 'add', 'x', 'upstream', '--queue', 'a b'],
  ],
  [
    'an architecture that there is no platform for',
    2,
    /there is no "riscv64"; there are: amd64, arm64/,
    ['project', 'add', 'x', 'upstream', '--arch', 'riscv64'],
  ],
  [
    'architectures without the server’s own',
    2,
    new RegExp(`they must have ${hostArch()}, the server's own: .*: add --arch ${hostArch()}`),
    ['project', 'add', 'x', 'upstream', '--arch', foreignTo(hostArch())[0] ?? ''],
  ],
  ['a URL that is an option', 2, /is not a Git URL/, ['project', 'add', '--', 'x', '--upload-pack=touch x']],
  [
    'a directory that is not there',
    2,
    /^project x: '\/nowhere' does not appear.*ls-remote/,
    ['project', 'add', 'x', '/nowhere'],
  ],
  [
    'a directory without a repository',
    1,
    /^project x: '\/proc' does not appear.*ls-remote/,
    ['project', 'add', 'x', '/proc'],
  ],
  [
    'a host that does not answer',
    1,
    /^project x: .*Failed to connect.*\n$/,
    ['project', 'add', 'x', 'http://127.0.0.1:9/x'],
  ],
  ['approve without a server', 3, /no server answers/, ['approve', '1', '--server', 'http://127.0.0.1:9']],
  ['abandon without a server', 3, /no server answers/, ['abandon', '1', '--server', 'http://127.0.0.1:9']],
  ['restore without a server', 3, /no server answers/, ['restore', '1', '--server', 'http://127.0.0.1:9']],
  ['a vote that is no number', 2, /not a whole number/, ['approve', '1', '--value', 'x']],
  [
    'refs of a project that is not there',
    1,
    /^x: sluice\.yaml does not name it: .*project add x/,
    ['project', 'import', 'x'],
  ],
  ['another hook', 2, /there is no hook/, ['hook', 'post-receive']],
];
for (const [says, code, words, args] of refusals) {
  test(`refused: ${says}`, async (t) => {
    const { cwd, sluice } = await open(t);
    const result = await sluice(...args);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, words);
    for (const left of ['data/git/x.git', 'sluice.yaml'])
      await assert.rejects(stat(join(cwd, left)), { code: 'ENOENT' });
  });
}

test('project add writes the architectures that packages are built for, and takes templates that know of them', async (t) => {
  const world = await open(t);
  const { cwd, sluice } = world;
  await upstream(world, ['debian/control']);
  const all = [...builtInArchitectures];
  const arch = all.flatMap((one) => ['--arch', one]);
  const bare = await sluice('project', 'add', 'bare', ...arch);
  assert.deepEqual([bare.code, /: that is for projects with the templates deb-package/.test(bare.stderr)], [2, true]);
  await assert.rejects(stat(join(cwd, 'data/git/bare.git')), { code: 'ENOENT' });
  const added = await sluice('project', 'add', 'tool', 'upstream', ...arch, ...arch);
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /architectures {2}amd64, arm64$/m);
  const { arch: kept } = JSON.parse((await sluice('project', 'add', 'tool', '--json')).stdout);
  assert.deepEqual([kept, loadConfig({ directory: cwd }).projects.tool?.arch], [all, all]);
});

test('project add refuses a template that nobody defines, names those that there are, and leaves nothing behind', async (t) => {
  const world = await open(t);
  const { cwd, sluice, git } = world;
  await upstream(world, ['debian/control']);
  await sluice('init');
  const before = await readFile(join(cwd, 'sluice.yaml'), 'utf8');
  const refused = await sluice('project', 'add', 'tool', 'upstream', '--template', 'nonesuch');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /there is no project template "nonesuch"; there are: deb-package, .*rpm-package/);
  assert.equal(await readFile(join(cwd, 'sluice.yaml'), 'utf8'), before);
  await assert.rejects(stat(join(cwd, 'data/git/tool.git')), { code: 'ENOENT' });
  await writeFile(join(cwd, 'upstream/zuul.yaml'), '- project-template: {name: own, check: {jobs: [noop]}}\n');
  await git('add', '.');
  await git('commit', '-q', '-m', 'Have a template');
  const own = await sluice('project', 'add', 'tool', 'upstream', '--template', 'own', '--template', 'deb-package');
  assert.equal(own.code, 0, own.stderr);
  const again = await sluice('project', 'add', 'tool', '--template', 'nonesuch');
  assert.equal(again.code, 2);
  assert.deepEqual(loadConfig({ directory: cwd }).projects.tool?.templates, ['own', 'deb-package']);
});
