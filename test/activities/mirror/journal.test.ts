import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectJournal } from '../../../activities/mirror/journal.ts';
import { rollbackMirrors } from '../../../activities/mirror/rollback.ts';
import { syncMirrors } from '../../../activities/mirror/sync.ts';
import type { MirrorRecord } from '../../../activities/report/types.ts';
import { mirrorWorld } from './world.ts';

test('W13: syncs and rollbacks by hand are handed over once, those that go on each time', async (t) => {
  const world = await mirrorWorld(t);
  const { state } = world.context;
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  await world.publish('alpha', '1');
  const collect = async () => {
    const found: MirrorRecord[] = [];
    await collectJournal(state, 'deb', async (record) => void found.push(record));
    return found;
  };
  assert.deepEqual(await collect(), []);
  const meanwhile: MirrorRecord[] = [];
  const now = () => world.context.now();
  const log = (line: string) => {
    if (line.startsWith('the source of')) going.push(collect().then((found) => void meanwhile.push(...found)));
  };
  const going: Promise<void>[] = [];
  const first = await syncMirrors(set, { ...world.context, now, log });
  await Promise.all(going);
  assert.deepEqual(
    meanwhile.map(({ outcome }) => outcome),
    ['running'],
  );
  await world.publish('beta', '1');
  const second = await world.sync(set);
  await rollbackMirrors(set, world.context);
  const found = await collect();
  assert.equal(found[0]?.id, meanwhile[0]?.id);
  assert.deepEqual(
    found.map(({ outcome, snapshot, result }) => [outcome, snapshot, result?.did]).sort(),
    [
      ['committed', first.snapshot, undefined],
      ['committed', second.snapshot, undefined],
      ['committed', first.snapshot, 'rolled-back'],
    ].sort(),
  );
  assert.deepEqual(await collect(), []);
  await syncMirrors(set, { ...world.context, recorded: true });
  assert.deepEqual(await collect(), []);
});

test('W13: a transaction whose process was killed has failed', async (t) => {
  const world = await mirrorWorld(t);
  const directory = join(world.context.state, 'deb/journal');
  await mkdir(directory, { recursive: true });
  const record = { id: 'x', set: 'deb', outcome: 'running', startTime: 1, endTime: null };
  await writeFile(join(directory, '1-x.json'), JSON.stringify(record));
  const found: MirrorRecord[] = [];
  await collectJournal(world.context.state, 'deb', async (one) => void found.push(one));
  assert.deepEqual([found[0]?.outcome, found[0]?.endTime === null], ['failed', false]);
  assert.deepEqual(await readdir(directory), []);
});

test('R15: what decides how a transaction ends is written by the module that waits for the disk', async () => {
  const text = await readFile(new URL('../../../activities/mirror/state.ts', import.meta.url), 'utf8');
  assert.match(text, /writeWhole/);
  assert.deepEqual(text.match(/await (writeFile|rename)\((?!mark)/g), null);
});

test('M7, M8: a rollback says what follows, to clients as well, and holds if asked to', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const names: string[] = [];
  for (const name of ['alpha', 'beta', 'gamma']) {
    await world.publish(name, '1');
    names.push((await world.sync(set)).snapshot ?? '');
  }
  const first = await rollbackMirrors(set, world.context);
  const [next, further, clients] = first.notes ?? [];
  assert.match(next ?? '', /next sync publishes the source again.*mirror pause deb.*--hold/);
  assert.ok(further?.includes(`sluice mirror rollback deb --to ${names[0]}`), further);
  assert.match(clients ?? '', /apt keeps it/);
  const second = await rollbackMirrors(set, world.context, { hold: true });
  assert.deepEqual([second.outcome, second.snapshot], ['unchanged', names[1]]);
  assert.match(second.notes?.join('\n') ?? '', /shown already\nfurther back.*\ndeb is paused/);
  const held = await world.sync(set);
  assert.deepEqual([held.did, held.snapshot], ['queued', names[1]]);
});
