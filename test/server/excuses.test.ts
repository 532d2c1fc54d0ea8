import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Excuses } from '../../server/api/types.ts';
import { change } from '../workflows/make.ts';
import { anItem, aQueue } from './records.ts';
import { startServer, type TestServer } from './server.ts';

const unknown = () => Object.assign(new Error('there is none'), { name: 'UnknownChange' });

/** Open changes of a host that is asked about each that is not in a queue; git:990 and up are approved. */
const open = Array.from({ length: 1_000 }, (_, at) => ({
  ...{ ...change(`git:${at + 1}`), connection: 'git', wip: at === 998, dependsOn: at === 2 ? ['git:4'] : [] },
  votes: at >= 989 ? [{ label: 'Approved', value: 1, by: 'ada', time: 1 }] : [],
}));
let asked: string[] = [];
let listing: () => Promise<typeof open> = async () => open;
let away = '';
let absent: { connection: string; project: string; now: string | null }[] = [];
let server: TestServer;

before(async () => {
  const changes = {
    list: () => listing(),
    async read(name: string) {
      return open.find(({ id }) => id === name) ?? Promise.reject(unknown());
    },
    async history(id: string) {
      asked.push(id);
      if (away !== '') throw new Error(away);
      return { commit: '', merged: null, happenings: [], bases: [], elsewhere: 'https://review/1' };
    },
  };
  server = await startServer({
    changes: changes as never,
    pipelines: async () => ['check', 'gate'].map((name) => ({ name, description: '' })),
    obstaclesOf: async (id) => (id === 'git:1000' ? [{ pipeline: 'gate', reason: 'it lacks a +2', latest: true }] : []),
    absent: () => absent,
    unheard: () => [{ connection: 'gerrit', reason: 'no answer' }],
  });
  const item = (number: number) =>
    anItem({
      ...{ id: `i${number}`, ahead: number > 1 ? `i${number - 1}` : null },
      changes: [{ ...(anItem().changes[0] ?? assert.fail()), id: `git:${number}` }],
    });
  const items = Array.from({ length: 600 }, (_, at) => item(at + 1));
  await server.report.projectQueue(aQueue({ items }));
  const ref = { ...(anItem().changes[0] ?? assert.fail()), id: 'git:app:refs/heads/main@c', patchset: 0 };
  const checked = [item(700), anItem({ id: 'ref', changes: [ref] })];
  await server.report.projectQueue(aQueue({ pipeline: 'check', workflow: 'gate/main/check/app', items: checked }));
});
after(() => server.stop());

async function read(query = ''): Promise<Excuses> {
  asked = [];
  const answer = await fetch(`${server.url}/api/excuses${query}`);
  assert.equal(answer.status, 200);
  return (await answer.json()) as Excuses;
}

const idsOf = ({ excuses }: Excuses, pipeline: string | null) =>
  excuses.filter((one) => one.pipeline === pipeline).flatMap(({ changes }) => changes.map(({ id }) => id));

test('excuses stand in the order of pipelines and queues, and hosts are asked about a few in none alone', async () => {
  const told = await read('?limit=12');
  assert.deepEqual([...new Set(told.excuses.map(({ pipeline }) => pipeline))], ['check', 'gate', null]);
  assert.deepEqual(idsOf(told, 'check'), ['git:700', 'git:app:refs/heads/main@c']);
  assert.deepEqual(idsOf(told, 'gate').slice(0, 3), ['git:1', 'git:2', 'git:3']);
  assert.deepEqual([idsOf(told, 'gate').length, asked.length], [12, 12]);
  // Those that somebody is for come first, and nothing is told of those that set nothing off.
  assert.deepEqual(idsOf(told, null).slice(0, 3), ['git:1000', 'git:998', 'git:997']);
  assert.deepEqual([idsOf(told, null).length, idsOf(told, null).includes('git:999')], [10, false]);
  assert.deepEqual(told.leftOut, [
    'gate packages: 588 items behind. `--limit 500` tells of more.',
    '387 more open changes in no queue. `--limit 399` looks into more, `sluice excuses CHANGE` into one.',
  ]);
  assert.deepEqual(told.unheard, [{ connection: 'gerrit', reason: 'no answer' }]);
});

test('excuses name what is in the way, and what is needed, as the story of the change does', async () => {
  const told = await read('?limit=3');
  const of = (id: string) => told.excuses.find(({ changes }) => changes[0]?.id === id);
  assert.ok(of('git:1000')?.waitsFor.includes('gate does not take it: it lacks a +2.'));
  assert.ok(of('git:3')?.waitsFor.some((line) => line.startsWith('git:4') && line.endsWith('is not merged yet.')));
  const story = await (await fetch(`${server.url}/api/changes/git:1000/story`)).json();
  const [one] = (await read('?change=git:1000')).excuses;
  assert.deepEqual(
    { state: one?.state, why: one?.why, waitsFor: one?.waitsFor, next: one?.next },
    (story as { story: object }).story,
  );
});

test('a change says that its project is called otherwise at its host, other projects say nothing', async () => {
  const { project } = change('git:1000');
  absent = [
    { connection: 'git', project, now: 'team/new' },
    { connection: 'git', project: 'other', now: 'team/other' },
    { connection: 'hub', project, now: 'hub/new' },
  ];
  const [one] = (await read('?change=git:1000')).excuses;
  absent = [];
  const renamed = `${project} is called team/new there: name it so in sluice.yaml.`;
  assert.deepEqual(one?.waitsFor.slice(0, 2), [renamed, 'gate does not take it: it lacks a +2.']);
});

test('excuses of a branch that a queue holds are had by its id', async () => {
  const told = await read(`?change=${encodeURIComponent('git:app:refs/heads/main@c')}`);
  assert.deepEqual(idsOf(told, 'check'), ['git:app:refs/heads/main@c']);
  assert.equal((await fetch(`${server.url}/api/excuses?change=nix`)).status, 404);
});

test('a host that is away keeps nobody from the queues, and is not asked about each change', async (t) => {
  t.after(() => {
    away = '';
    listing = async () => open;
  });
  away = 'review answers 503';
  const silent = await read();
  assert.deepEqual([idsOf(silent, 'gate').length, idsOf(silent, null), asked.length], [20, [], 4]);
  assert.ok(silent.leftOut.includes('20 changes of git in no queue, as it could not be asked: review answers 503.'));
  listing = () => Promise.reject(new Error('review answers 503'));
  const unlisted = await read();
  assert.deepEqual([idsOf(unlisted, 'gate').length, asked.length], [20, 0]);
  assert.match(
    unlisted.leftOut.join('\n'),
    /Changes in no queue: the open changes could not be listed: review answers 503\./,
  );
});
