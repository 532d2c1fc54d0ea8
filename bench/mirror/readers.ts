import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { Agent, createServer, get } from 'node:http';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { syncMirrors } from '../../activities/mirror/sync.ts';
import { run } from '../../activities/process/run.ts';
import { parseRelease } from '../../pipelines/formats/deb/release.ts';
import { mirrorWorld, type World } from '../../test/activities/mirror/world.ts';

/**
 * Has many readers fetch a mirror over HTTP, as APT does, and a real APT update from it and download from it, while its
 * head turns again and again and packages change. Ends with status 1 at the first thing that is not as it should be.
 */
const { values } = parseArgs({
  options: {
    readers: { type: 'string', default: '500' },
    flips: { type: 'string', default: '50' },
    layout: { type: 'string', default: 'snapshots' },
  },
});
const [readers, flips] = [Number(values.readers), Number(values.flips)];
const layout = values.layout === 'pool' ? 'pool' : 'snapshots';

/** A web server as mirrors have: it opens what a path leads to at that moment. */
async function serve(root: string, ends: (() => unknown)[]): Promise<string> {
  const server = createServer(async (request, response) => {
    const path = join(root, decodeURIComponent(new URL(request.url ?? '/', 'http://mirror').pathname));
    const size = await stat(path).then(
      (found) => (found.isFile() ? found.size : null),
      () => null,
    );
    if (size === null) return response.writeHead(404).end();
    response.writeHead(200, { 'content-length': size });
    return createReadStream(path)
      .on('error', () => response.destroy())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve));
  ends.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  // Who dawdles keeps his connection.
  server.keepAliveTimeout = 120_000;
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function fetchWhole(url: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(parts));
        else reject(new Error(`${response.statusCode} for ${url}`));
      });
    });
    request.on('error', reject);
  });
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

/** Reads the index, dawdles, and fetches what it names by hash, and then a package that this names. */
async function readOnce(url: string): Promise<void> {
  const dist = `${url}/stable/dists/bookworm`;
  const { files } = parseRelease((await fetchWhole(`${dist}/Release`)).toString());
  const list = files.find(({ path }) => path.endsWith('binary-amd64/Packages'));
  assert.ok(list !== undefined, 'Release names no list of packages');
  await sleep(Math.random() * 8_000);
  const text = await fetchWhole(`${dist}/${dirname(list.path)}/by-hash/SHA256/${list.sha256}`);
  assert.equal(sha256(text), list.sha256, list.path);
  const named = [...text.toString().matchAll(/^Filename: (.*)$/gm)].map(([, path = '']) => path);
  const hashes = [...text.toString().matchAll(/^SHA256: (.*)$/gm)].map(([, hash = '']) => hash);
  const chosen = Math.floor(Math.random() * named.length);
  await sleep(Math.random() * 2_000);
  assert.equal(sha256(await fetchWhole(`${url}/stable/${named[chosen]}`)), hashes[chosen], named[chosen]);
}

/** `apt-get update` and a download of a package that stays, with directories of its own. */
async function aptOf(world: World, url: string): Promise<() => Promise<void>> {
  const root = world.local('apt');
  for (const directory of [
    'etc/apt/preferences.d',
    'var/lib/apt/lists/partial',
    'var/cache/apt/archives/partial',
    'got',
  ]) {
    await mkdir(join(root, directory), { recursive: true });
  }
  await writeFile(join(root, 'status'), '');
  await writeFile(join(root, 'etc/apt/sources.list'), `deb [trusted=yes arch=amd64] ${url}/stable bookworm main\n`);
  const settings = [`Dir=${root}`, `Dir::State::status=${root}/status`, 'APT::Update::Error-Mode=any'];
  const options = [...settings, 'APT::Sandbox::User=root', 'APT::Architecture=amd64'].flatMap((one) => ['-o', one]);
  return async () => {
    for (const words of [['update'], ['download', 'stays']]) {
      const { code, stdout, stderr } = await run('apt-get', [...options, ...words], { cwd: join(root, 'got') });
      assert.equal(code, 0, stdout + stderr);
      assert.doesNotMatch(stderr, /^[WE]:/m);
    }
  };
}

/** Does something again and again until it is told to stop; answers with how often. */
async function repeat(work: () => Promise<void>, going: () => boolean): Promise<number> {
  let times = 0;
  for (; going(); times += 1) await work();
  return times;
}

async function flipAll(world: World, sync: () => Promise<void>): Promise<void> {
  for (let nth = 1; nth <= flips; nth += 1) {
    await world.publish(`alpha${nth % 5}`, `${nth + 1}`);
    await world.publish('stays', `${nth + 1}`);
    await sync();
  }
}

const ends: (() => unknown)[] = [];
try {
  const world = await mirrorWorld({ after: (end: () => unknown) => void ends.push(end) } as never);
  const set = world.set({ layout, timeout: 60, hosts: { m1: { url: world.local('m1') } } });
  const sync = async () => {
    const result = await syncMirrors(set, { ...world.context, now: Date.now });
    assert.equal(result.outcome, 'committed', JSON.stringify(result));
  };
  await world.publish('stays', '1');
  await sync();
  const url = await serve(world.local('m1'), ends);
  const apt = await aptOf(world, url);
  let left = true;
  const going = () => left;
  const reading = Promise.all(Array.from({ length: readers }, () => repeat(() => readOnce(url), going)));
  const updating = repeat(apt, going);
  const flipping = flipAll(world, sync).finally(() => {
    left = false;
  });
  const [reads, updates] = await Promise.all([reading, updating, flipping]).catch(async (error) => {
    left = false;
    await Promise.allSettled([reading, updating, flipping]);
    throw error;
  });
  const shown = (await readFile(world.local('m1/stable.target.txt'), 'utf8')).trim().split('\n').length;
  const total = reads.reduce((sum, one) => sum + one, 0);
  const figures = { layout, readers, flips, shown, reads: total, least: Math.min(...reads), aptUpdates: updates };
  console.log(JSON.stringify({ bench: 'mirror-readers', ...figures }, null, 2));
} finally {
  for (const end of ends.reverse()) await end();
}
