import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { buildLayout, defaultTenant, parseConfigFile } from '../../pipelines/language/language.ts';
import type { Hold } from '../../pipelines/nodes/holds.ts';
import type { HoldRequest, NodeHolds } from '../../server/holds.ts';
import { aJob, anItem, aQueue } from '../server/records.ts';
import { startServer, type TestServer } from '../server/server.ts';
import { change } from '../workflows/make.ts';
import { runAt } from './run.ts';

const minute = 60_000;

let asked: (HoldRequest & { readonly by: string })[] = [];
let list: Hold[] = [];
const holds: NodeHolds = {
  async add({ name }, request) {
    asked.push({ ...request, by: name });
    return { ...request, id: 'h9', by: name, time: Date.now(), builds: [], held: [] };
  },
  list: async () => list,
  delete: async (_, id) => list.find((hold) => hold.id === id) ?? null,
};

const held: Hold = {
  ...{ id: 'h1', job: 'install-deb', project: 'tinycdb', reason: 'no start', count: 2, seconds: 3600, by: 'ann' },
  ...{ time: Date.now() - 5 * minute, builds: ['b1'] },
  held: [
    {
      ...{ build: 'b1', host: 'gate', time: Date.now() - minute, until: Date.now() + 59.9 * minute },
      nodes: [{ name: 'server', command: 'docker exec -it abc sh' }],
    },
  ],
};

const source = { name: 'tinycdb', connection: 'git', trusted: true, branches: ['master'], defaultBranch: 'master' };
const jobs = `
- job: { name: base, parent: null, abstract: true, run: x.sh }
- job: { name: j, parent: base }
- job: { name: install-deb, parent: base }
`;
const file = parseConfigFile({ project: 'tinycdb', branch: 'master', path: 'zuul.yaml', text: jobs, trusted: true });
const tenant = { ...defaultTenant, name: 'main' };

let server: TestServer;
before(async () => {
  server = await startServer({
    holds,
    layout: async () => buildLayout({ tenant, projects: [source], files: [file] }),
  });
  await writeFile(join(server.data, 'sluice.yaml'), 'data: .\n');
});
after(() => server.stop());
beforeEach(() => {
  asked = [];
  list = [held];
});

async function run(...args: readonly string[]) {
  const { code, stdout: out, stderr: err } = await runAt(server, ['hold', ...args]);
  return { code, out, err };
}

test('I10: hold asks for the nodes of the next failure, for a day, or as it is told', async () => {
  const usual = await run('install-deb');
  assert.deepEqual(usual, {
    code: 0,
    out: 'hold h9: the nodes of the next failed build of install-deb stay for 24 h 00 min each; see sluice hold list\n',
    err: '',
  });
  const told = await run(
    ...[
      'install-deb',
      '--project',
      'tinycdb',
      '--ref',
      'main',
      '--count',
      '2',
      '--for',
      '0',
      '--reason',
      'r',
      '--json',
    ],
  );
  assert.equal(JSON.parse(told.out).id, 'h9');
  const by = asked[0]?.by ?? '';
  assert.deepEqual(asked, [
    { job: 'install-deb', reason: '', count: 1, seconds: 86_400, by },
    { job: 'install-deb', project: 'tinycdb', ref: 'main', reason: 'r', count: 2, seconds: null, by },
  ]);
});

test('I10: hold list and hold show say who wants what, and how a shell is had', async () => {
  const listed = await run('list');
  assert.match(listed.out, /^h1 +install-deb +tinycdb +all +1 of 2 +ann +\d+ min \d+ s ago +no start$/m);
  assert.match(listed.out, /^h1 +b1 +server +another \d+ min \d+ s +gate +docker exec -it abc sh$/m);
  assert.deepEqual(JSON.parse((await run('list', '--json')).out), list);
  assert.deepEqual(JSON.parse((await run('show', 'h1', '--json')).out), held);
  list = [];
  assert.equal((await run('list')).out, 'Nothing is to be held.\n');
});

test('I10: hold delete says what goes, and that there is no such hold', async () => {
  assert.equal((await run('delete', 'h1')).out, 'hold h1 is deleted; the nodes of b1 are being removed\n');
  const none = await run('delete', 'h2');
  assert.deepEqual([none.code, none.err], [1, 'there is no hold h2; there are: h1\n']);
});

for (const [what, args, said] of [
  ['a job that is abstract', ['base'], 'base is abstract: it never runs; name a job that inherits from it\n'],
  ['the job without nodes', ['noop'], 'noop has no nodes that could be held\n'],
  [
    'a reason that would change other terminals',
    ['j', '--reason', 'a\nb'],
    'reason: it may have no line breaks and no other control characters\n',
  ],
  ['a ref that is a change', ['j', '--ref', '5'], '5 is a change, and no ref: give it as one\n'],
  ['a change and a ref', ['j', '--change', '5', '--ref', 'main'], 'a change has no other ref: give one of them\n'],
] as const) {
  test(`I10: hold with ${what} says what is wrong`, async () => {
    assert.deepEqual(await run(...args), { code: 2, out: '', err: said });
    assert.deepEqual(asked, []);
  });
}

test('I10: hold of a job that nobody has says which there are', async () => {
  const { code, err } = await run('nosuch');
  assert.deepEqual([code, err], [1, 'there is no job nosuch; there are: install-deb, j\n']);
});

test('a job of an item in a queue, or of a change that has configuration, need not be configured', async () => {
  assert.equal((await run('only-there', '--change', '6')).code, 0);
  assert.equal((await run('only-there', '--change', '5')).code, 1);
  const items = [anItem({ jobs: [aJob({ name: 'queued' })] })];
  await server.report.projectQueue(aQueue({ items }));
  assert.equal((await run('queued')).code, 0);
  assert.equal((await run('brought')).code, 1);
  server.open = [change('git:5'), change('git:6', { files: ['zuul.d/jobs.yaml'] })];
  const { code, out } = await run('brought');
  assert.equal(code, 0);
  assert.match(out, /^hold h9: .*\nno job is called brought now: open changes may bring it, git:6\n$/);
  assert.deepEqual(JSON.parse((await run('brought', '--json')).out).mayBring, ['git:6']);
  assert.doesNotMatch((await run('queued')).out, /no job/);
  server.open = [];
});

for (const [what, args] of [
  ['no job', []],
  ['a count that is none', ['j', '--count', '0']],
  ['a time that is too short', ['j', '--for', '5s']],
  ['a reason that is too long', ['j', '--reason', 'x'.repeat(501)]],
] as const) {
  test(`I10: hold with ${what} is bad usage`, async () => {
    assert.equal((await run(...args)).code, 2);
    assert.deepEqual(asked, []);
  });
}
