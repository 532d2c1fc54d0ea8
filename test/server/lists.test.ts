import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import { pageOfReleases } from '../../server/api/releases.ts';
import type { BuildRecord, Change, MirrorRecord, ReleaseRecord } from '../../server/api/types.ts';
import { change } from '../workflows/make.ts';
import { aBuild, aBuildSet, aMirror, aRelease } from './records.ts';
import { startServer, type TestServer } from './server.ts';

/** Two that began in one moment are among them. */
const times = [10, 20, 20, 30, 40, 50, 60];
const changes = Array.from({ length: 120 }, (_, index) => change(`git:${index + 1}`));

let server: TestServer;
before(async () => {
  server = await startServer({
    changes: {
      list: async () => changes,
      read: async (name: string) => {
        const found = changes.find(({ id }) => id === name);
        if (found !== undefined) return found;
        throw Object.assign(new Error(`there is no change ${name}`), { name: 'UnknownChange' });
      },
    } as never,
    pipelines: async () => [{ name: 'gate', description: '' }],
  });
  for (const [at, startTime] of times.entries()) {
    await server.report.recordBuild(aBuild({ id: `b${at}`, startTime }));
    await server.report.recordBuildSet(aBuildSet({ workflow: `set/${at}.x`, key: `s${at}`, startTime }));
    await server.store.saveRelease(aRelease({ id: `r${at}`, startTime, ...(at > 4 ? { project: 'mbw' } : {}) }));
    await server.store.saveMirror(aMirror({ id: `m${at}`, startTime, set: at > 4 ? 'rpm' : 'deb' }));
  }
});
after(() => server.stop());

/** All pages of a list, as their `Link` headers lead from one to the next. */
async function pages<T>(path: string): Promise<T[][]> {
  const found: T[][] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer: Response = await fetch(server.url + next);
    assert.equal(answer.status, 200);
    found.push((await answer.json()) as T[]);
    next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return found;
}

describe('F6: lists', () => {
  it('F6: go on page by page, and have each record once', async () => {
    const builds = await pages<BuildRecord>('/api/builds?limit=2&project=tinycdb');
    assert.deepEqual(
      builds.map((page) => page.map(({ id }) => id)),
      [['b6', 'b5'], ['b4', 'b3'], ['b1', 'b2'], ['b0']],
    );
    const sets = await pages<{ key: string }>('/api/buildsets?limit=3');
    assert.deepEqual(
      sets.map((page) => page.map(({ key }) => key)),
      [['s6', 's5', 's4'], ['s3', 's1', 's2'], ['s0']],
    );
    const last = await fetch(`${server.url}/api/builds?limit=7`);
    assert.equal(last.headers.get('link'), null);
  });

  it('F6: of changes, too: the newest first, by number', async () => {
    const found = await pages<Change>('/api/changes?limit=50');
    assert.deepEqual(
      found.map((page) => [page[0]?.id, page.length]),
      [
        ['git:120', 50],
        ['git:70', 50],
        ['git:20', 20],
      ],
    );
    assert.equal(((await (await fetch(`${server.url}/api/changes`)).json()) as unknown[]).length, 120);
  });

  it('F6: of releases and of mirrors’ transactions, too', async () => {
    const releases = await pages<ReleaseRecord>('/api/releases?limit=2&project=tinycdb');
    assert.deepEqual(
      releases.map((page) => page.map(({ id }) => id)),
      [['r4', 'r3'], ['r1', 'r2'], ['r0']],
    );
    const mirrors = await pages<MirrorRecord>('/api/mirrors?limit=3');
    assert.deepEqual(
      mirrors.map((page) => page.map(({ id }) => id)),
      [['m6', 'm5', 'm4'], ['m3', 'm1', 'm2'], ['m0']],
    );
    assert.deepEqual((await pages<MirrorRecord>('/api/mirrors?set=rpm')).flat().length, 2);
    const unknown = await fetch(`${server.url}/api/mirrors?set=public`);
    assert.equal(unknown.status, 404);
    assert.match(await unknown.text(), /there is no set of mirrors public; there are: deb, rpm/);
  });

  it('B-110: what is asked to be signed of a change is told by it, with its state, why not, and what came of it', async () => {
    const about = { id: 'signing', change: 'git:7', startTime: 2_000, endTime: null, packages: [], summary: '' };
    const told = async () => {
      const [one, ...others] = await pages<ReleaseRecord>('/api/releases?change=git%3A7');
      assert.deepEqual([one?.length, others], [1, []]);
      return one?.[0];
    };
    const begun = aRelease({ ...about, state: 'running', workflow: 'release/main/debian-12/7' });
    await server.report.recordRelease(begun);
    const running = await told();
    assert.deepEqual([running?.state, running?.workflow, running?.endTime], ['running', begun.workflow, null]);
    const why = 'refused by the signer: a.deb is no file of the build b7';
    await server.report.recordRelease({ ...begun, state: 'failed', summary: why, endTime: 3_000 });
    const failed = await told();
    assert.deepEqual([failed?.state, failed?.summary], ['failed', why]);
    const made = { provenance: `sha256:${'2'.repeat(64)}`, key: 'A'.repeat(40) };
    const packages = aRelease().packages.map((one) => ({ ...one, ...made }));
    await server.report.recordRelease({
      ...{ ...begun, startTime: 4_000, state: 'published', build: 'signed-build', packages, endTime: 5_000 },
    });
    const done = await told();
    assert.deepEqual([done?.state, done?.packages], ['published', packages]);
    const byBuild = (await pages<ReleaseRecord>('/api/releases?build=signed-build')).flat();
    assert.deepEqual(
      byBuild.map(({ id, packages: [one] }) => [id, one?.key]),
      [['signing', made.key]],
    );
    const unknown = await fetch(`${server.url}/api/releases?build=nobody-made-it`);
    assert.equal(unknown.status, 404);
    assert.match(await unknown.text(), /there is no build nobody-made-it/);
  });

  it('F6: a page for each of them, narrowed, with the way to older ones', async () => {
    for (let at = 0; at < 51; at += 1) {
      await server.store.saveRelease(aRelease({ id: `many-${at}`, project: 'many', startTime: 1_000 + at }));
      await server.store.saveMirror(aMirror({ id: `many-${at}`, set: 'many', startTime: 1_000 + at }));
    }
    for (const path of ['/releases?project=many', '/mirrors?set=many']) {
      const first = await (await fetch(server.url + path)).text();
      assert.equal(first.match(/<li id="(?:release|mirror)-many-/g)?.length, 50, path);
      const next = /rel="next" href="([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
      const second = await (await fetch(server.url + next)).text();
      assert.equal(second.match(/<li id="(?:release|mirror)-many-/g)?.length, 1, next);
    }
    assert.equal((await fetch(`${server.url}/mirrors?set=public`)).status, 404);
    const status = await (await fetch(`${server.url}/`)).text();
    assert.match(status, /href="\/releases"[\s\S]*href="\/mirrors"/);
  });

  it('F6: a place that no answer named is refused', async () => {
    const answer = await fetch(`${server.url}/api/builds?after=tomorrow`);
    assert.equal(answer.status, 400);
    assert.match(((await answer.json()) as { error: string }).error, /^after: /);
  });

  it('F6: the page shows all results and all changes, narrowed and page by page', async () => {
    for (let at = 0; at < 60; at += 1) {
      const failed = { result: 'FAILURE', startTime: 1_000 + at } as const;
      await server.report.recordBuildSet(aBuildSet({ workflow: `bad/${at}`, key: `bad-${at}`, ...failed }));
    }
    const first = await (await fetch(`${server.url}/results?result=FAILURE&pipeline=`)).text();
    assert.equal(first.match(/<li id="set-/g)?.length, 50);
    const next = /rel="next" href="([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
    assert.match(next, /result=FAILURE/);
    const second = await (await fetch(server.url + next)).text();
    assert.equal(second.match(/<li id="set-/g)?.length, 10);
    assert.match(second, /<option value="FAILURE" selected>/);
    const unknown = await fetch(`${server.url}/results?change=git:999`);
    assert.equal(unknown.status, 404);
    assert.match(await unknown.text(), /There is no change git:999\./);
    const list = await (await fetch(`${server.url}/changes`)).text();
    assert.match(list, /git%3A120[\s\S]*git%3A71[\s\S]*Older ones/);
  });
});

test('of the newest twenty releases of a page that are on their way is told what they wait for', async () => {
  const asked: string[] = [];
  const deps = {
    store: {
      listReleases: async () =>
        Array.from({ length: 30 }, (_, at) =>
          aRelease({ id: `r${at}`, state: at === 0 ? 'failed' : 'running', summary: '' }),
        ),
    },
    pendingSteps: async (workflow: string) => {
      asked.push(workflow);
      return [{ name: 'runStage', attempt: 1, begun: false, waits: 30 }];
    },
  } as unknown as Parameters<typeof pageOfReleases>[0];
  const { shown } = await pageOfReleases(deps, { limit: 30 });
  const waits = 'it waits for a build worker that has a place for it, for 30 s so far';
  assert.deepEqual([asked.length, asked[0], asked.at(-1)], [20, 'r1', 'r20']);
  assert.deepEqual(
    [0, 1, 20, 21].map((at) => shown[at]?.summary),
    ['', waits, waits, ''],
  );
});
