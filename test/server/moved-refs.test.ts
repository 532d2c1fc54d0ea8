import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { HostAway } from '../../activities/outcome.ts';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { createRefLook, openMovedRefs } from '../../server/events/moved-refs.ts';
import { scratch } from '../activities/git/repository.ts';

const [a, b, c, none] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40), '0'.repeat(40)];

/** A host of one project, and what is passed on of its moves. */
async function open(t: TestContext) {
  const directory = await scratch(t);
  const [branches, tags] = [new Map([['main', a]]), new Map<string, string>()];
  const listed = (refs: ReadonlyMap<string, string>) => [...refs].map(([name, commit]) => ({ name, commit }));
  const host = {
    connection: 'hub',
    branches: async () => listed(branches).map((one) => ({ ...one, protected: true })),
    tags: async () => listed(tags),
  };
  const told: string[] = [];
  /** Commits of annotated tags, by their objects; of an object that is not there nothing can be said. */
  const objects = new Map<string, string>();
  const asked: string[] = [];
  const openRefs = () =>
    openMovedRefs(directory, async ({ object }) => {
      asked.push(object);
      return objects.get(object);
    });
  /** As the router does. */
  const hear = async (event: TriggerEvent) => {
    const refs = openRefs();
    if (!(await refs.isKnown(event))) told.push(`${event.type} ${event.ref} ${event.oldrev?.[0]}${event.newrev?.[0]}`);
    await refs.note(event);
  };
  const of = { type: 'push', driver: 'github', connection: 'hub', project: 'acme/tool', time: 0 };
  return {
    branches,
    tags,
    objects,
    asked,
    push: (ref: string, oldrev: string, newrev: string) => hear({ ...of, ref, oldrev, newrev }),
    async look(failing = false) {
      told.length = 0;
      const tell = failing ? () => Promise.reject(new Error('away')) : hear;
      const failed = (project: string, error: unknown) => told.push(`${project}: ${(error as Error).message}`);
      const looked = { host, driver: 'github', projects: ['acme/tool'], failed };
      await openRefs().find(looked, tell);
      return [...told];
    },
    told,
  };
}

test('pushes and tags that nobody told are found, each once', async (t) => {
  const { branches, tags, look } = await open(t);
  assert.deepEqual(await look(), [], 'what is there at first is history');
  branches.set('main', b).set('stable', a);
  tags.set('v1', a);
  assert.deepEqual(await look(true), ['acme/tool: away']);
  const moves = ['push refs/heads/main ab', 'push refs/heads/stable 0a', 'push refs/tags/v1 0a'];
  assert.deepEqual(await look(), moves);
  branches.delete('stable');
  assert.deepEqual(await look(), ['push refs/heads/stable a0']);
  assert.deepEqual(await look(), []);
});

test('what was told is not found again, in whatever order, and what was found is not told again', async (t) => {
  const { branches, tags, asked, push, look, told } = await open(t);
  await push('refs/tags/v0', none, c);
  assert.deepEqual(asked, [], 'nothing is fetched for what is history');
  told.length = 0;
  await look();
  // Hosts tell of a tag's own object.
  await push('refs/tags/v1', none, c);
  await push('refs/heads/main', b, c);
  await push('refs/heads/main', a, b);
  assert.equal(told.length, 3);
  branches.set('main', c);
  tags.set('v1', a);
  assert.deepEqual([await look(), await look()], [[], []]);
  branches.set('main', b);
  tags.set('v2', a);
  assert.equal((await look()).length, 2);
  await push('refs/heads/main', c, b);
  await push('refs/tags/v2', none, c);
  assert.equal(told.length, 2, 'the host was late');
  await push('refs/heads/main', b, a);
  assert.equal(told.length, 3);
});

test('of a tag that a look has found, what the host tells of a later move is passed on', async (t) => {
  const { tags, push, look, told } = await open(t);
  await look();
  tags.set('v1', a);
  assert.deepEqual(await look(), ['push refs/tags/v1 0a']);
  tags.set('v1', b);
  await push('refs/tags/v1', c, 'd'.repeat(40));
  assert.equal(told.length, 2, 'the tag is another one now');
  assert.deepEqual(await look(), []);
  await push('refs/tags/v1', 'd'.repeat(40), none);
  tags.set('v1', a);
  assert.deepEqual(await look(), ['push refs/tags/v1 ba'], 'it was made again, and nobody told that');
});

test('an annotated tag is known by the commit that it stands for: each of its moves is told once', async (t) => {
  const { tags, objects, push, look, told } = await open(t);
  await look();
  const [first, second, third] = ['c', 'd', 'e'].map((digit) => digit.repeat(40)) as [string, string, string];
  objects.set(first, a).set(second, b).set(third, a);
  tags.set('v1', a);
  assert.deepEqual(await look(), ['push refs/tags/v1 0a']);
  tags.set('v1', b);
  assert.deepEqual(await look(), ['push refs/tags/v1 ab']);
  await push('refs/tags/v1', first, second);
  assert.equal(told.length, 1, 'the host was late');
  await push('refs/tags/v1', second, third);
  assert.equal(told.length, 2);
  tags.set('v1', 'f'.repeat(40));
  assert.deepEqual(await look(), ['push refs/tags/v1 bf'], 'somebody moved it once more, and nobody told that');
});

test('what was known stays known: a move after it that nobody tells is found', async (t) => {
  const { tags, push, look, told } = await open(t);
  await look();
  tags.set('v1', a);
  await look();
  await push('refs/tags/v1', none, c);
  assert.equal(told.length, 1, 'the host was late');
  tags.set('v1', b);
  assert.deepEqual(await look(), ['push refs/tags/v1 ab']);
});

/** A look at projects of a host that answers by a function; what it has asked, and what has failed. */
async function lookAtMany(t: TestContext, projects: readonly string[], answer: (project: string) => void) {
  const [directory, asked, failed] = [await scratch(t), [] as string[], [] as string[]];
  const branches = async (project: string) => {
    asked.push(project);
    answer(project);
    return [{ name: 'main', commit: a, protected: true }];
  };
  const host = { connection: 'hub', branches, tags: async () => [] };
  const looked = { host, driver: 'github', projects, failed: (project: string) => void failed.push(project) };
  await openMovedRefs(directory, async () => undefined).find(looked, async () => {});
  return { asked, failed };
}

test('a project that its host refuses keeps no other from its turn; a host that is away is not asked of all', async (t) => {
  const projects = Array.from({ length: 20 }, (_, index) => `acme/p${index}`);
  const refused = await lookAtMany(t, projects, (project) => assert.notEqual(project, 'acme/p1', 'refused'));
  assert.deepEqual([refused.asked.length, refused.failed], [20, ['acme/p1']]);
  const away = await lookAtMany(t, projects, () => {
    throw new HostAway('away');
  });
  assert.ok(away.asked.length < 8, `asked of ${away.asked.length}`);
});

test('a look is begun once in its time, also where it came to nothing, and not beside another', async (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const [begun, warned, { promise, reject }] = [[] as string[], [] as string[], Promise.withResolvers<void>()];
  const look = createRefLook(
    1_000,
    (connection) => {
      begun.push(connection);
      return connection === 'hub' ? promise : Promise.resolve();
    },
    (connection, error) => warned.push(`${connection}: ${(error as Error).message}`),
  );
  for (const connection of ['hub', 'hub', 'lab']) look(connection);
  t.mock.timers.tick(2_000);
  look('hub');
  assert.deepEqual(begun, ['hub', 'lab'], 'the first goes on');
  reject(new Error('refused'));
  await new Promise(setImmediate);
  look('hub');
  await new Promise(setImmediate);
  look('hub');
  assert.deepEqual(
    [begun, warned],
    [
      ['hub', 'lab', 'hub'],
      ['hub: refused', 'hub: refused'],
    ],
  );
});

test('a host that shows nothing has not lost everything', async (t) => {
  const { branches, look } = await open(t);
  await look();
  branches.clear();
  assert.deepEqual(await look(), []);
  branches.set('main', a);
  assert.deepEqual(await look(), []);
});
