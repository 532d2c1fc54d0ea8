import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../activities/process/run.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import { showStaged, stageTree } from '../../activities/repository/publish.ts';
import { createReleasedStore } from '../../activities/storage/filesystem/released-store.ts';
import { makePackage, temporary } from '../activities/repository/packages.ts';
import { startServer } from './server.ts';

const settings = { codename: 'bookworm', origin: 'Sluice' };

/** Releases a version of `alpha`, as the publisher does. */
async function release(dir: string, version: string, inUse: readonly string[] = []): Promise<void> {
  const work = join(dir, '..', '..', version);
  await mkdir(work);
  const file = await makePackage('deb', work, { name: 'alpha', version });
  const request = { dir, files: [file], settings, date: new Date(), name: `staged-${version}-deb` };
  const staged = await stageTree(repositoryFormats.deb, request);
  assert.ok(staged !== null && (await showStaged(staged, async () => inUse)));
}

/** The versions of `alpha` that APT finds at an address. */
async function versionsAt(url: string, work: string): Promise<readonly string[]> {
  await mkdir(join(work, 'lists/partial'), { recursive: true });
  await writeFile(join(work, 'sources.list'), `deb [trusted=yes] ${url} bookworm main\n`);
  const places = [`Dir::Etc::sourcelist=${work}/sources.list`, 'Dir::Etc::sourceparts=/dev/null'];
  const state = [`Dir::State::lists=${work}/lists`, `Dir::Cache=${work}/cache`, 'Dir::State::status=/dev/null'];
  const user = ['APT::Sandbox::User=', 'Debug::NoLocking=true', 'Acquire::Languages=none'];
  const options = [...places, ...state, ...user].flatMap((each) => ['-o', each]);
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
  await must('apt-get', ['update', ...options, '-o', 'APT::Update::Error-Mode=any']);
  const { stdout } = await must('apt-cache', ['madison', 'alpha', ...options]);
  return [...stdout.matchAll(/^\s*alpha \|\s+(\S+)/gm)].map(([, version = '']) => version);
}

test('W2: APT sees at the address of a generation what was released then, whatever came after it', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const dir = join(server.data, 'released/deb');
  const released = createReleasedStore({
    root: join(server.data, 'released'),
    baseUrl: async () => `${server.url}/released`,
  });
  assert.equal(await released.current('deb'), null);
  await release(dir, '1.0');
  const seen = (await released.current('deb')) ?? '';
  for (const version of ['1.1', '1.2', '1.3', '1.4', '1.5']) await release(dir, version, [seen]);
  const [then, now] = [await temporary(t), await temporary(t)];
  assert.deepEqual(await versionsAt(await released.url('deb', seen), then), ['1.0']);
  assert.ok((await versionsAt(await released.url('deb'), now)).includes('1.5'));
  const index = 'dists/bookworm/main/binary-amd64/Packages';
  const [file] = (await released.list({ repository: 'deb', generation: seen })).filter((path) => path.endsWith('.deb'));
  const answer = await fetch(`${await released.url('deb', seen)}/${file}`);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), await readFile(join(dir, file ?? '')));
  assert.equal((await fetch(`${await released.url('deb', seen)}/${index}`, { method: 'HEAD' })).status, 200);
  await release(dir, '1.6');
  assert.equal(await released.has({ repository: 'deb', generation: seen }), false, 'nobody uses it any more');
  assert.equal((await fetch(`${await released.url('deb', seen)}/${index}`)).status, 404);
});

test('W2: only generations are shown so, and nothing outside of them', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  await release(join(server.data, 'released/deb'), '1.0');
  await writeFile(join(server.data, 'released/canary'), 'canary');
  const at = `${server.url}/released/generations`;
  const home = join(server.data, 'released/.deb.generations');
  await mkdir(join(home, 'staged-x-deb'));
  await writeFile(join(home, 'staged-x-deb/canary'), 'canary');
  const paths = ['deb/staged-x-deb/canary', 'deb/000001/../../canary', 'deb/000001/%2e%2e/%2e%2e/canary'];
  for (const path of [...paths, '../canary/x', 'deb/000002/dists', 'deb/000001/dists', '%2e%2e/000001/canary']) {
    const answer = await fetch(`${at}/${path}`);
    assert.equal(answer.status, 404, path);
    assert.doesNotMatch(await answer.text(), /^canary/);
  }
});

test('a released file is sent from one state, as it was when it was asked for', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const dir = join(server.data, 'released/deb');
  const index = `${server.url}/released/deb/dists/bookworm/Release`;
  await release(dir, '1.0');
  let going = true;
  const read = async () => {
    const first = await fetch(index);
    const text = await first.text();
    const etag = first.headers.get('etag') ?? assert.fail('it has no validator');
    assert.equal(first.headers.get('cache-control'), 'no-cache');
    assert.equal(text.length, Number(first.headers.get('content-length')));
    const part = await fetch(index, { headers: { range: 'bytes=0-3', 'if-range': etag } });
    assert.match(await part.text(), /^Acqu/);
    const again = await fetch(index, { headers: { 'if-none-match': etag } });
    assert.ok([200, 304].includes(again.status), `${again.status}`);
    await again.arrayBuffer();
  };
  const reading = (async () => {
    while (going) await Promise.all(Array.from({ length: 8 }, read));
  })();
  // The lists grow, so that no two states have an index of one size for long.
  for (let nth = 1; nth <= 4; nth += 1) await release(dir, `1.${nth}`);
  going = false;
  await reading;
  const texts = ['deb', 'deb/', 'deb/dists/'].map(async (path) =>
    (await fetch(`${server.url}/released/${path}`)).text(),
  );
  for (const text of await Promise.all(texts)) assert.match(text, /<ul class="files">/);
  for (const path of [
    'deb/.x',
    'deb//dists',
    'deb/%zz',
    'deb/dists/..%2f..%2f..%2fcanary',
    'nothing/x',
    'deb/nothing',
  ]) {
    const { status } = await fetch(`${server.url}/released/${path}`);
    assert.ok([400, 403, 404].includes(status), `${path}: ${status}`);
  }
});
