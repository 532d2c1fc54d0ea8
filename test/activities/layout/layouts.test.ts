import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalGit } from '../../../activities/git/local.ts';
import { createLayouts } from '../../../activities/layout/layouts.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';

const jobs = (...names: string[]) => names.map((name) => `- job: {name: ${name}, run: ${name}.sh}\n`).join('');

test('the configuration in force is that of the branch, wherever in it and whatever else has changed', async (t) => {
  const root = await scratch(t);
  const repo = await bareRepository(root, 'alpha');
  const project = { name: 'alpha', connection: 'git', trusted: false, templates: [] };
  const connections = { git: 'git' };
  const layouts = createLayouts({
    tenant: 'main',
    projects: () => [project],
    git: createLocalGit(root),
    connections,
  });
  const steps: [files: Record<string, string | null>, found: string[]][] = [
    [{ 'a.txt': '1' }, []],
    [{ '.zuul.yaml': jobs('one') }, ['one']],
    [{ 'a.txt': '2' }, ['one']],
    [{ '.zuul.yaml': jobs('one', 'two') }, ['one', 'two']],
    [{ '.zuul.yaml': null, '.zuul.d/three.yaml': jobs('three') }, ['three']],
    [{ '.zuul.d/four.yaml': jobs('four') }, ['four', 'three']],
    [{ '.zuul.d/three.yaml': null, '.zuul.d/four.yaml': null }, []],
  ];
  let tip: string | undefined;
  for (const [files, found] of steps) {
    tip = await makeCommit(repo, { files, ...(tip === undefined ? {} : { parents: [tip] }) });
    await setBranch(repo, 'main', tip);
    const { files: parsed } = await layouts.current();
    const own = parsed.filter(({ origin }) => origin.project === 'alpha');
    assert.deepEqual(own.flatMap(({ stanzas }) => stanzas.jobs.map(({ name }) => name)).sort(), found);
  }
});

test('a layout with proposed changes is made once for what they hold, and anew when configuration is merged', async (t) => {
  const root = await scratch(t);
  const repo = await bareRepository(root, 'alpha');
  const tip = await makeCommit(repo, { files: { '.zuul.yaml': jobs('one') } });
  await setBranch(repo, 'main', tip);
  const git = createLocalGit(root);
  let read = 0;
  const readTree: typeof git.readTree = (...of) => {
    read += 1;
    return git.readTree(...of);
  };
  const project = { name: 'alpha', connection: 'git', trusted: false, templates: [] };
  const layouts = createLayouts({
    ...{ tenant: 'main', projects: () => [project], connections: { git: 'git' } },
    git: { ...git, readTree },
  });
  const change = async (files: Record<string, string>, parents = [tip]) => {
    return [{ project: 'alpha', branch: 'main', commit: await makeCommit(repo, { files, parents }) }];
  };
  const made = async (proposed: Awaited<ReturnType<typeof change>>) => {
    const before = read;
    const layout = await layouts.proposed(proposed);
    const own = layout.files.filter(({ origin }) => origin.project === 'alpha');
    return { layout, read: read - before, jobs: own.flatMap(({ stanzas }) => stanzas.jobs.map(({ name }) => name)) };
  };
  const current = await layouts.current();
  const two = await change({ '.zuul.yaml': jobs('two') });
  const first = await made(two);
  assert.deepEqual([first.read, first.jobs], [1, ['two']]);
  const again = await made(two);
  assert.deepEqual([again.read, again.layout === first.layout], [0, true]);
  const rest = await made(await change({ '.zuul.yaml': jobs('two'), 'a.txt': 'no configuration' }));
  assert.deepEqual([rest.read, rest.layout === first.layout], [0, true]);
  const other = await made(await change({ '.zuul.yaml': jobs('three') }));
  assert.deepEqual([other.read, other.jobs], [1, ['three']]);
  await setBranch(repo, 'main', await makeCommit(repo, { files: { 'b.txt': 'no configuration' }, parents: [tip] }));
  assert.equal(await layouts.current(), current);
  assert.equal((await made(two)).layout, first.layout);
  await setBranch(repo, 'main', await makeCommit(repo, { files: { '.zuul.yaml': jobs('zero') }, parents: [tip] }));
  assert.notEqual(await layouts.current(), current);
  const later = await made(two);
  assert.deepEqual([later.read, later.jobs, later.layout === first.layout], [1, ['two'], false]);
  for (let index = 0; index < 16; index += 1) await made(await change({ '.zuul.yaml': jobs(`more-${index}`) }));
  assert.equal((await made(two)).read, 1);
});
