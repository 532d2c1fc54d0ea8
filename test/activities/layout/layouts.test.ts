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
