import assert from 'node:assert/strict';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { createReleasedStore } from '../../../activities/storage/filesystem/released-store.ts';
import { createReleasedWriter } from '../../../activities/storage/filesystem/released-writer.ts';
import { makePackage, temporary } from '../repository/packages.ts';

const format = repositoryFormats.deb;
const nobody = async () => [];

async function world(t: TestContext) {
  const work = await temporary(t);
  const root = join(work, 'above', 'released');
  const writer = createReleasedWriter(root);
  const made = new Map<string, Promise<string>>();
  const make = (name: string) => made.get(name) ?? makePackage('deb', work, { name, version: '1-1' });
  const stage = async (name: string, packageName: string) => {
    made.set(packageName, make(packageName));
    const file = await make(packageName);
    const settings = { codename: 'bookworm', origin: 'Test' };
    const content = { format, files: [file], settings, date: new Date('2026-01-02T03:04:05Z') };
    return writer.stage({ repository: 'deb', name }, content, async ({ tree, before }) => {
      await writeFile(join(tree, 'note'), `${packageName} after ${before === null ? 'nothing' : 'something'}`);
      return packageName;
    });
  };
  const names = () => writer.look('deb', async (tree) => (tree === null ? null : namesIn(tree)));
  return { root, writer, stage, names, store: createReleasedStore({ root, baseUrl: async () => 'http://sluice' }) };
}

async function namesIn(tree: string): Promise<readonly string[]> {
  return (await format.list(tree)).map(({ name }) => name);
}

const at = (name: string, before: string | null) => ({ repository: 'deb', name, before });

test('R15: a released repository goes from state to state, and what stands on an older one is never shown', async (t) => {
  const { writer, stage, names, store } = await world(t);
  assert.deepEqual([await names(), await store.current('deb')], [null, null]);
  assert.deepEqual(await stage('staged-a', 'alpha'), { before: null, done: 'alpha', notes: [] });
  assert.deepEqual(await stage('staged-b', 'beta'), { before: null, done: 'beta', notes: [] });
  assert.equal(await names(), null, 'nothing is shown before it is complete');

  const amended = await writer.amend(at('staged-a', null), async ({ tree }) => {
    await writeFile(join(tree, 'signature'), 'good');
    return namesIn(tree);
  });
  assert.deepEqual(amended, ['alpha']);
  assert.equal(await writer.show(at('staged-a', null), nobody), true);
  const generation = (await store.current('deb')) ?? '';
  assert.deepEqual([await names(), generation], [['alpha'], '000001']);
  for (const path of ['note', 'signature']) {
    const file = await store.open({ repository: 'deb', generation }, path);
    assert.match(file === null ? '' : await text(file.read()), /^(alpha after nothing|good)$/);
  }
  for (const before of [null, '000001']) {
    assert.equal(await writer.amend(at('staged-b', before), async () => 'work'), null);
    assert.equal(await writer.show(at('staged-b', before), nobody), false);
  }
  assert.equal(await writer.show(at('staged-a', null), nobody), false, 'shown already');
  assert.equal(await stage('staged-a', 'alpha'), null, 'nothing would change');

  assert.deepEqual(await stage('staged-b', 'beta'), { before: generation, done: 'beta', notes: [] });
  assert.equal(await writer.show(at('staged-b', generation), nobody), true);
  assert.deepEqual(await names(), ['alpha', 'beta']);
  assert.deepEqual(await store.list({ repository: 'deb', generation: '000009' }), []);
});

test('R15: only what was staged is shown, and states that nobody will show are swept', async (t) => {
  const { root, writer, stage, names } = await world(t);
  await stage('staged-a', 'alpha');
  await writer.show(at('staged-a', null), nobody);
  await stage('staged-b', 'beta');
  await stage('staged-c', 'gamma');
  for (const name of ['000001', 'partial', '../released/deb', 'staged-../x', '']) {
    await assert.rejects(writer.show(at(name, '000001'), nobody), /no file name|not the name of a staged state/);
    await assert.rejects(writer.amend(at(name, '000001'), nobody), /no file name|not the name of a staged state/);
    await assert.rejects(stage(name, 'delta'), /no file name|not the name of a staged state/);
  }
  await assert.rejects(
    writer.look('../deb', async () => null),
    /no file name/,
  );
  const home = join(root, '.deb.generations');
  await utimes(join(home, 'staged-b'), 1, 1);
  const isWanted = (_: string, touched: number) => touched > 1000;
  assert.deepEqual([await writer.sweep(isWanted, true), await writer.sweep(isWanted)], [1, 1]);
  const left = (await readdir(home)).filter((name) => name.startsWith('staged-'));
  assert.deepEqual([left, await names()], [['staged-c'], ['alpha']]);
});
