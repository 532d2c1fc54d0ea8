import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { done } from '../../../../infra/gerrit/account.ts';
import { prepareItem, testCycles } from '../cycle.ts';
import { messageFor } from '../developer.ts';
import { openDesk } from './desk.ts';
import { openWorld } from './host.ts';
import { connect, type SharedGerrit, sharedGerrit } from './world.ts';

/** Takes the right to push from Sluice's account: then Gerrit merges by itself. */
async function forbidPush({ rest }: SharedGerrit, project: string): Promise<void> {
  const { id } = (await done(rest('GET', '/groups/Service%20Users'))) as { id: string };
  const push = { rules: { [decodeURIComponent(id)]: { action: 'BLOCK' } } };
  const add = { 'refs/heads/*': { permissions: { push } } };
  await done(rest('POST', `/projects/${encodeURIComponent(project)}/access`, { add }));
}

testCycles('Gerrit', { open: async (t) => openWorld(t, await sharedGerrit()), modes: ['merge', 'rebase'] });

testCycles('Gerrit, which merges by itself', {
  async open(t) {
    const gerrit = await sharedGerrit();
    const world = await openWorld(t, gerrit);
    for (const name of ['alpha', 'beta']) await forbidPush(gerrit, world.words?.project(name) ?? '');
    return world;
  },
});

let topics = 0;

/** Two approved changes of one topic, which Gerrit merges as a whole, in two projects that want a vote of ours. */
async function openTopic(t: TestContext) {
  const gerrit = await sharedGerrit();
  topics += 1;
  const folder = `topic${topics}`;
  const numbers: number[] = [];
  for (const name of ['one', 'two']) {
    const project = `${folder}/${name}`;
    const desk = await openDesk(t, gerrit, { project, parent: 'All-Projects' });
    await forbidPush(gerrit, project);
    const message = messageFor(`${name} of ${folder}`);
    const { number } = await desk.propose({ files: { a: name }, message, target: `refs/for/master%topic=${folder}` });
    const labels = { 'Code-Review': 2, Workflow: 1 };
    await done(gerrit.rest('POST', `/changes/${number}/revisions/1/review`, { labels }));
    numbers.push(number);
  }
  const { host, git } = await connect(t, gerrit, { owns: (project) => project.startsWith(`${folder}/`) });
  const changes = numbers.map((number) => `review:${number}`);
  const item = await prepareItem([{ host, git, changes, body: { Verified: 2 } }]);
  const read = async () => {
    const found = await Promise.all(changes.map((id) => host.readChange(id)));
    const verified = found.map((each) => each?.votes.find(({ label }) => label === 'Verified')?.value ?? 0);
    return { statuses: found.map((each) => each?.status), verified };
  };
  return { gerrit, numbers, keys: changes.map((id) => `${id},1`), ...item, read };
}

test('a topic that Gerrit merges as a whole has our votes on all its changes before', async (t) => {
  const { keys, submit, read } = await openTopic(t);
  assert.deepEqual(await submit(), { merged: keys });
  assert.deepEqual(await read(), { statuses: ['merged', 'merged'], verified: [2, 2] });
});

test('nothing of a topic is merged, and no vote stays, where one of its changes lacks an approval', async (t) => {
  for (const lacks of [0, 1]) {
    const { gerrit, numbers, submit, read } = await openTopic(t);
    const labels = { 'Code-Review': -2 };
    await done(gerrit.rest('POST', `/changes/${numbers[lacks]}/revisions/1/review`, { labels }));
    const answer = await submit();
    assert.deepEqual(answer.merged, []);
    assert.match(answer.refused ?? '', new RegExp(`^review:${numbers[lacks]}: the requirement Code-Review is not met`));
    assert.deepEqual(await read(), { statuses: ['open', 'open'], verified: [0, 0] });
  }
});
