import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { openMovedRefs } from '../../server/events/moved-refs.ts';
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
  /** As the router does. */
  const hear = async (event: TriggerEvent) => {
    const refs = openMovedRefs(directory);
    if (!(await refs.isKnown(event))) told.push(`${event.type} ${event.ref} ${event.oldrev?.[0]}${event.newrev?.[0]}`);
    await refs.note(event);
  };
  const of = { type: 'push', driver: 'github', connection: 'hub', project: 'acme/tool', time: 0 };
  return {
    branches,
    tags,
    push: (ref: string, oldrev: string, newrev: string) => hear({ ...of, ref, oldrev, newrev }),
    async look(failing = false) {
      told.length = 0;
      const tell = failing ? () => Promise.reject(new Error('away')) : hear;
      const looked = { host, driver: 'github', projects: ['acme/tool'] };
      await openMovedRefs(directory).find(looked, tell);
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
  await assert.rejects(look(true), /away/);
  const moves = ['push refs/heads/main ab', 'push refs/heads/stable 0a', 'push refs/tags/v1 0a'];
  assert.deepEqual(await look(), moves);
  branches.delete('stable');
  assert.deepEqual(await look(), ['push refs/heads/stable a0']);
  assert.deepEqual(await look(), []);
});

test('what was told is not found again, in whatever order, and what was found is not told again', async (t) => {
  const { branches, tags, push, look, told } = await open(t);
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

test('a host that shows nothing has not lost everything', async (t) => {
  const { branches, look } = await open(t);
  await look();
  branches.clear();
  assert.deepEqual(await look(), []);
  branches.set('main', a);
  assert.deepEqual(await look(), []);
});
