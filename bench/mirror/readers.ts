import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { syncMirrors } from '../../activities/mirror/sync.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import { publishPackages } from '../../activities/repository/publish.ts';
import { parseRelease } from '../../pipelines/formats/deb/release.ts';
import { parsePrimary, parseRepomd } from '../../pipelines/formats/rpm/repodata.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { mirrorWorld, type World } from '../../test/activities/mirror/world.ts';
import { makePackage } from '../../test/activities/repository/packages.ts';
import { aptOf, type Client, dnfOf } from './clients.ts';
import { fetchWhole, serve } from './web.ts';

/**
 * Has many readers fetch mirrors over HTTP, as APT and DNF do, and a real APT and a real DNF update from them and install
 * from them, while their heads turn again and again and packages change. Ends with status 1 at the first thing that is
 * not as it should be.
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

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

/** What a list says of one package. */
interface Named {
  readonly path: string;
  readonly sha256: string;
}

/** Dawdles up to so many seconds. */
const dawdle = (seconds: number) => sleep(Math.random() * seconds * 1000);

const lists: Readonly<Record<PackageFormat, (url: string) => Promise<readonly Named[]>>> = {
  async deb(url) {
    const dist = `${url}/dists/bookworm`;
    const { files } = parseRelease((await fetchWhole(`${dist}/Release`)).toString());
    const list = files.find(({ path }) => path.endsWith('binary-amd64/Packages'));
    assert.ok(list !== undefined, 'Release names no list of packages');
    await dawdle(8);
    const text = await fetchWhole(`${dist}/${dirname(list.path)}/by-hash/SHA256/${list.sha256}`);
    assert.equal(sha256(text), list.sha256, list.path);
    const hashes = [...text.toString().matchAll(/^SHA256: (.*)$/gm)].map(([, hash = '']) => hash);
    const paths = [...text.toString().matchAll(/^Filename: (.*)$/gm)].map(([, path = '']) => path);
    return paths.map((path, position) => ({ path, sha256: hashes[position] ?? '' }));
  },
  async rpm(url) {
    const { files } = parseRepomd((await fetchWhole(`${url}/repodata/repomd.xml`)).toString());
    await dawdle(8);
    const found = await Promise.all(
      files.map(async ({ type, path, checksum }) => {
        const data = await fetchWhole(`${url}/${path}`);
        assert.equal(sha256(data), checksum, path);
        return type === 'primary' ? parsePrimary(gunzipSync(data).toString()) : [];
      }),
    );
    return found.flat().map(({ path, checksum }) => ({ path, sha256: checksum }));
  },
};

/** Reads the index, dawdles, and fetches what it names by hash, and then a package that this names. */
async function readOnce(format: PackageFormat, url: string): Promise<void> {
  const named = await lists[format](url);
  const chosen = named[Math.floor(Math.random() * named.length)];
  assert.ok(chosen !== undefined, 'a list is empty');
  await dawdle(2);
  assert.equal(sha256(await fetchWhole(`${url}/${chosen.path}`)), chosen.sha256, chosen.path);
}

/** What was done so far, of which stderr hears each minute. */
const totals = { deb: { reads: 0, updates: 0, flips: 0 }, rpm: { reads: 0, updates: 0, flips: 0 } };
setInterval(() => console.error(JSON.stringify(totals)), 60_000).unref();

/** Does something again and again until it is told to stop, and counts it as `done`; answers with how often. */
async function repeat(work: () => Promise<void>, going: () => boolean, done: () => void): Promise<number> {
  let times = 0;
  for (; going(); times += 1) {
    await work();
    done();
  }
  return times;
}

/** A repository and a mirror of it. */
interface Line {
  readonly format: PackageFormat;
  /** Publishes two packages, one after the other, and shows them on the mirror. */
  turn(nth: number): Promise<void>;
}

function lineOf(world: World, format: PackageFormat): Line {
  const source = world.local(`released-${format}`);
  const hosts = { m1: { url: world.local(format) } };
  const set = world.set({ name: format, source, layout, timeout: 60, hosts });
  const settings = format === 'deb' ? { codename: 'bookworm' } : {};
  const publish = async (name: string, version: string) => {
    const files = [await makePackage(format, world.directory, { name, version })];
    await publishPackages(repositoryFormats[format], { dir: source, files, settings, date: new Date() });
  };
  return {
    format,
    turn: async (nth) => {
      await publish('stays', `${nth + 1}`);
      await publish(`alpha${nth % 5}`, `${nth + 1}`);
      const result = await syncMirrors(set, { ...world.context, now: Date.now });
      assert.equal(result.outcome, 'committed', JSON.stringify(result));
    },
  };
}

/** Turns the head of one mirror until it was turned often enough, under the eyes of all its readers. */
async function readThrough(line: Line, url: string, client: Client): Promise<object> {
  let left = true;
  const going = () => left;
  const total = totals[line.format];
  const read = () => readOnce(line.format, url);
  const each = Array.from({ length: Math.ceil(readers / 2) }, () => repeat(read, going, () => (total.reads += 1)));
  const [reading, updating] = [Promise.all(each), repeat(client, going, () => (total.updates += 1))];
  const turnAll = async () => {
    while (total.flips < flips) {
      await line.turn(total.flips + 1);
      total.flips += 1;
    }
  };
  const flipping = turnAll().finally(() => {
    left = false;
  });
  const [reads] = await Promise.all([reading, updating, flipping]).catch(async (error) => {
    left = false;
    await Promise.allSettled([reading, updating, flipping]);
    throw error;
  });
  return { readers: reads.length, reads: total.reads, least: Math.min(...reads), updates: total.updates };
}

const ends: (() => unknown)[] = [];
try {
  const world = await mirrorWorld({ after: (end: () => unknown) => void ends.push(end) } as never);
  const url = await serve(world.directory, ends);
  const clients = { deb: aptOf, rpm: dnfOf } as const;
  const through = async (format: PackageFormat) => {
    const [line, head] = [lineOf(world, format), `${url}/${format}/stable`];
    await line.turn(0);
    const figures = await readThrough(line, head, await clients[format](world.local(`system-${format}`), head));
    const shown = (await readFile(world.local(`${format}/stable.target.txt`), 'utf8')).trim().split('\n').length;
    return { ...figures, shown };
  };
  const started = performance.now();
  const [deb, rpm] = await Promise.all([through('deb'), through('rpm')]);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(JSON.stringify({ bench: 'mirror-readers', layout, flips, seconds, deb, rpm }, null, 2));
} finally {
  for (const end of ends.reverse()) await end();
}
