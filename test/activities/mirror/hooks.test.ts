import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import { rollbackMirrors } from '../../../activities/mirror/rollback.ts';
import { look, mirrorWorld, type World } from './world.ts';

/** A set whose commands write down what they are told; `after` fails while there is a file `broken`. */
async function hookedWorld(world: World) {
  const log = world.local('log');
  await writeFile(log, '');
  const tell = `echo "$SLUICE_HOOK $SLUICE_SET $SLUICE_PREVIOUS>$SLUICE_SNAPSHOT $SLUICE_HOSTS" >>'${log}'`;
  const after = `${tell}; [ ! -e '${world.local('broken')}' ] || { echo no way >&2; exit 3; }`;
  const hooks = { before: tell, after, timeout: 10 };
  const set = world.set({ hooks, hosts: { m1: { url: world.local('m1') }, m2: { url: world.local('m2') } } });
  const told = async () => {
    const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
    await writeFile(log, '');
    return lines;
  };
  return { set, told };
}

test('hooks are told what goes from where to where; where nothing changes none is run', async (t) => {
  const world = await mirrorWorld(t);
  const { set, told } = await hookedWorld(world);
  await world.publish('alpha', '1');
  const { snapshot: first } = await world.sync(set);
  assert.deepEqual(await told(), [`before deb >${first} m1 m2`, `after deb >${first} m1 m2`]);
  assert.equal((await world.sync(set)).outcome, 'unchanged');
  assert.deepEqual(await told(), []);
  await world.publish('beta', '1');
  const { snapshot: second } = await world.sync(set);
  assert.deepEqual(await told(), [`before deb ${first}>${second} m1 m2`, `after deb ${first}>${second} m1 m2`]);
  assert.equal((await rollbackMirrors(set, world.context)).outcome, 'committed');
  assert.deepEqual(await told(), [`after deb ${second}>${first} m1 m2`]);
});

test('a command that fails, or takes too long, before a sync: nothing is sent', async (t) => {
  const world = await mirrorWorld(t);
  const { set, told } = await hookedWorld(world);
  await world.publish('alpha', '1');
  const rows = [
    ['echo not today >&2; exit 4', 60, 'hooks.before ended with 4 (not today): nothing was sent'],
    ['sleep 30', 1, 'hooks.before took more than 1 second: nothing was sent'],
  ] as const;
  for (const [before, timeout, message] of rows) {
    const { outcome, hosts } = await world.sync({ ...set, hooks: { before, timeout } });
    assert.deepEqual([outcome, hosts.m1?.error, hosts.m2?.error?.code], ['failed', { code: 'hook', message }, 'hook']);
    assert.deepEqual(await look(world.local('m1')), { head: null, latest: null, snapshots: [], names: [] });
  }
  assert.deepEqual([await told(), world.said.includes('hooks.before: not today')], [[], true]);
});

test('a command that fails after a sync leaves the mirrors as they are, is told of, and runs again', async (t) => {
  const world = await mirrorWorld(t);
  const { set, told } = await hookedWorld(world);
  await world.publish('alpha', '1');
  await writeFile(world.local('broken'), '');
  const { snapshot, outcome, notes } = await world.sync(set);
  const warning =
    'warning: hooks.after ended with 3 (no way): the mirrors stay as they are, and it runs again with the next sync';
  assert.deepEqual([outcome, notes], ['committed', [warning]]);
  assert.equal((await look(world.local('m2'))).latest, snapshot);
  const status = await mirrorStatus(set, world.context);
  assert.deepEqual([status.hook, status.outcome], [warning, 'unchanged']);
  await told();
  assert.deepEqual((await world.sync(set)).notes, [warning]);
  await world.publish('beta', '1');
  await rm(world.local('broken'));
  const { snapshot: second } = await world.sync(set);
  // It took notice of none before.
  assert.deepEqual(await told(), [
    `after deb >${snapshot} m1 m2`,
    `before deb ${snapshot}>${second} m1 m2`,
    `after deb >${second} m1 m2`,
  ]);
  const whole = await mirrorStatus(set, world.context);
  assert.equal(whole.hook, null);
});
