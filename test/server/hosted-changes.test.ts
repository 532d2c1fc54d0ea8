import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostAway } from '../../activities/outcome.ts';
import type { Mergeability, ReviewHost } from '../../activities/review/port.ts';
import type { Layout } from '../../pipelines/language/language.ts';
import type { Change } from '../../pipelines/model/change.ts';
import { HostedChanges } from '../../server/events/hosted-changes.ts';
import { change } from '../workflows/make.ts';

/** A host of changes that are named by their numbers. */
function host(connection: string, changes: Change[], url = '') {
  const asked: string[] = [];
  let away = false;
  const ask = <T>(what: string, answer: T): T => {
    asked.push(what);
    if (away) throw new HostAway('away');
    return answer;
  };
  const found = (name: string) => {
    const number = name.replace(`${connection}:`, '').replace(url === '' ? '-' : `${url}/c/`, '');
    return changes.find(({ id }) => id === `${connection}:${number}`) ?? null;
  };
  const port = {
    connection,
    readChange: async (name: string) => ask(`read ${name}`, found(name)),
    listOpenChanges: async () => ask('list', changes),
    canMerge: async (id: string, own: readonly string[], mode?: string): Promise<Mergeability> =>
      ask(`merge ${[id, own, ...(mode ? [mode] : [])].join(' ')}`, {
        ok: false,
        missing: ['needs Code-Review', ...'123456'],
      }),
  };
  const leave = (gone: boolean) => {
    away = gone;
  };
  return { port: port as unknown as ReviewHost, asked, leave };
}

const pipelines = [
  { name: 'gate', reporters: { success: [{ connection: 'review', body: { Verified: 2, submit: true } }] } },
  { name: 'check', reporters: { success: [{ connection: 'hub', body: { status: 'success' } }] } },
].map((pipeline) => [pipeline.name, { pipeline }] as const);
const configured = new Map([['s', { mergeMode: 'squash-merge' }]]);
const projects = { byName: new Map(['p', 's'].map((name) => [name, { name }])) };
const layout = { pipelines: new Map(pipelines), projects, configured } as unknown as Layout;

const at = (connection: string, number: number, more: Partial<Change> = {}) => {
  const id = `${connection}:${number}`;
  return { ...change(id, { project: 'p' }), id, key: `${id},1`, connection, ...more } as Change;
};

const connections = [
  { name: 'git', driver: 'git', served: true },
  { name: 'review', driver: 'gerrit', url: 'https://review', served: false },
];

function world() {
  const needy = at('git', 1, { dependsOn: ['https://review/c/7', 'https://elsewhere/9', 'git:404'] });
  const git = host('git', [needy, at('git', 2)]);
  const review = host('review', [at('review', 2), at('review', 7)], 'https://review');
  return { git, review, changes: new HostedChanges([git.port, review.port], connections) };
}

test('Depends-On names changes of every host, by address or by name; what nobody knows stays', async () => {
  const { changes } = world();
  assert.deepEqual((await changes.read('git:1'))?.dependsOn, ['review:7', 'https://elsewhere/9', 'git:404']);
  const open = await changes.listOpen();
  assert.deepEqual(
    open.dependents.get('review:7')?.map(({ id }) => id),
    ['git:1'],
  );
});

test('a bare number is good where one connection has it, and none where several have', async () => {
  const { changes } = world();
  assert.equal((await changes.read('7'))?.id, 'review:7');
  assert.equal((await changes.read('1'))?.id, 'git:1');
  assert.equal(await changes.read('2'), null);
  assert.equal((await changes.read('review:2'))?.id, 'review:2');
  assert.equal((await changes.readIn('review', 'review:2'))?.id, 'review:2');
});

test('a host that is away has not said that there is no such change; what another has, it has', async () => {
  const { changes, git, review } = world();
  review.leave(true);
  await assert.rejects(changes.read('9'), HostAway);
  assert.equal((await changes.read('1'))?.id, 'git:1');
  git.leave(true);
  await assert.rejects(changes.read('1'), HostAway);
});

test('what is needed is not guessed: a number that several have, or one may have that is away, stays as written', async () => {
  const { changes, review } = world();
  const needs = async (name: string) => (await changes.resolved(at('git', 3, { dependsOn: [name] }))).dependsOn;
  review.leave(true);
  assert.deepEqual(
    [await needs('7'), await needs('1'), await needs('https://review/c/7')],
    [['7'], ['1'], ['https://review/c/7']],
  );
  review.leave(false);
  assert.deepEqual([await needs('7'), await needs('1'), await needs('2')], [['review:7'], ['git:1'], ['2']]);
});

test('other hosts are asked what is missing but for what Sluice gives; its own is not', async () => {
  const { changes, git, review } = world();
  const open = at('review', 7);
  const { changes: judged } = await changes.judged(layout, [at('git', 1), open, { ...open, status: 'merged' }]);
  assert.deepEqual(
    judged.map(({ missing }) => missing),
    [undefined, ['needs Code-Review', '1', '2', '3', '4'], undefined],
  );
  assert.deepEqual([git.asked, review.asked], [[], ['merge review:7 Verified', 'read review:7']]);
  await changes.judged(layout, [at('review', 2, { project: 's' })]);
  assert.equal(review.asked[2], 'merge review:2 Verified squash-merge');
  await changes.judged(layout, [at('review', 2, { project: 's' })]);
  assert.equal(review.asked[2], 'merge review:2 Verified squash-merge');
});

test('a host that is away keeps the changes of others from nothing, and its list is read anew when it tells', async () => {
  const { changes, review } = world();
  await changes.listOpen();
  await changes.listOpen();
  assert.equal(review.asked.filter((what) => what === 'list').length, 1);
  review.leave(true);
  changes.stale('review');
  assert.equal((await changes.listOpen()).byId.size, 4, 'what it had last');
  review.leave(false);
  changes.stale('review');
  assert.equal((await changes.listOpen()).byId.size, 4);
});

test('an open change is known as it was read last, until its host tells of something', async () => {
  const { changes, review } = world();
  assert.equal(await changes.noted('review:7'), undefined, 'nothing was read');
  await changes.listOpen();
  changes.note(at('review', 7, { subject: 'newer' }));
  review.asked.length = 0;
  assert.equal((await changes.noted('review:7'))?.subject, 'newer');
  assert.equal(await changes.noted('review:8'), undefined);
  changes.stale('review');
  assert.equal(await changes.noted('review:7'), undefined);
  assert.deepEqual(review.asked, []);
});

test('a change that merges between two questions is merged, and lacks nothing', async () => {
  const open = at('review', 7);
  const review = host('review', [{ ...open, status: 'merged', newrev: 'abc' }]);
  const { changes } = await new HostedChanges([review.port], connections).judged(layout, [open]);
  const [judged] = changes;
  assert.deepEqual([judged?.status, judged?.newrev, judged?.missing], ['merged', 'abc', undefined]);
});
