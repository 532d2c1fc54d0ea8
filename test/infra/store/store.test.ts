import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openStore, type Store } from '../../../infra/store/store.ts';
import { aBuild, aBuildSet, aMirror, aQueue, aRelease } from '../../server/records.ts';

let directory: string;
let store: Store;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-store-'));
  store = await openStore(join(directory, 'store'));
});
after(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

describe('the store', () => {
  it('keeps a build when it starts and again when it ends, and no late start undoes the end', async () => {
    const started = aBuild({ id: 'b1', result: null, endTime: null });
    const ended = aBuild({ id: 'b1', result: 'FAILURE', endTime: 2_000 });
    assert.equal(await store.saveBuild(started), true);
    assert.equal(await store.saveBuild(ended), true);
    assert.equal(await store.saveBuild(started), false);
    assert.deepEqual(await store.findBuild('b1'), ended);
  });

  it('finds builds by each key, newest first', async () => {
    await store.saveBuild(aBuild({ id: 'b2', change: 'I2', job: 'deb-lint', startTime: 5_000 }));
    await store.saveBuild(aBuild({ id: 'b3', change: 'I2', job: 'deb-build', startTime: 6_000 }));
    const ids = async (filter: object) => (await store.listBuilds({ limit: 10, ...filter })).map((build) => build.id);
    assert.deepEqual(await ids({ change: 'I2' }), ['b3', 'b2']);
    assert.deepEqual(await ids({ change: 'I2', job: 'deb-lint' }), ['b2']);
    assert.deepEqual(await ids({ result: 'FAILURE' }), ['b1']);
    assert.deepEqual(await ids({ change: "' or 1=1 --" }), []);
    assert.equal((await store.listBuilds({ limit: 1 })).length, 1);
  });

  it('estimates a job by the runs that went through, without what was interrupted before', async () => {
    const interrupted = { startTime: 0, endTime: 90_000, timing: { started: 84_000, ended: 88_000, tools: 0 } };
    await store.saveBuild(aBuild({ id: 'e1', job: 'estimated', ...interrupted }));
    await store.saveBuild(aBuild({ id: 'e2', job: 'estimated', startTime: 1_000, endTime: 3_000 }));
    await store.saveBuild(aBuild({ id: 'e3', job: 'estimated', result: 'RETRY', startTime: 2_000, endTime: 99_000 }));
    await store.saveBuild(
      aBuild({ id: 'e4', job: 'estimated', result: 'CANCELED', startTime: 3_000, endTime: 99_000 }),
    );
    assert.equal((await store.estimates())['tinycdb estimated'], 3_000);
  });

  it('keeps build sets', async () => {
    await store.saveBuildSet(aBuildSet({ result: null, endTime: null }));
    await store.saveBuildSet(aBuildSet({ result: 'SUCCESS', endTime: 9_000 }));
    const [found] = await store.listBuildSets({ limit: 10, project: 'tinycdb' });
    assert.equal(found?.result, 'SUCCESS');
  });

  it('keeps the newest snapshot of a queue, also when a gate counts from the start again', async () => {
    assert.equal(await store.saveQueue(aQueue({ time: 10, sequence: 5 })), true);
    assert.equal(await store.saveQueue(aQueue({ time: 10, sequence: 4 })), false);
    assert.equal(await store.saveQueue(aQueue({ time: 11, sequence: 1 })), true);
    assert.deepEqual(
      (await store.listQueues()).map(({ time, sequence }) => [time, sequence]),
      [[11, 1]],
    );
  });

  it('keeps a release with its packages, however often it is told', async () => {
    const release = aRelease();
    await store.saveRelease({ ...release, state: 'running', endTime: null, packages: [] });
    await store.saveRelease(release);
    await store.saveRelease(release);
    assert.deepEqual(await store.listReleases({ limit: 10 }), [release]);
  });

  it('finds a release by its build, and by those for other architectures that were shown with it', async () => {
    const { packages } = aRelease();
    const beside = packages.map((one) => ({ ...one, arch: 'arm64', build: 'build-arm' }));
    const id = 'release/main/debian-12/together';
    await store.saveRelease(aRelease({ id, build: 'build-own', packages: [...packages, ...beside] }));
    for (const [build, found] of [
      ['build-own', [id]],
      ['build-arm', [id]],
      ['build-other', []],
    ] as const) {
      assert.deepEqual(
        (await store.listReleases({ build, limit: 10 })).map((one) => one.id),
        found,
      );
    }
  });

  it('W1: keeps what a release published when a repeat of it fails, and the repeat beside it', async () => {
    const release = aRelease({ id: 'release/main/debian-12/repeated', startTime: 30_000, endTime: 31_000 });
    const again = { ...release, startTime: 40_000, origin: null, packages: [] };
    const failed = { ...again, state: 'failed', summary: 'older than 2.0', endTime: 41_000 } as const;
    await store.saveRelease(release);
    assert.equal(await store.saveRelease({ ...again, state: 'running', endTime: null }), false);
    assert.equal(await store.saveRelease(failed), true);
    assert.equal(await store.saveRelease(failed), false);
    const attempts = [{ state: 'failed', summary: 'older than 2.0', startTime: 40_000, endTime: 41_000 }];
    const found = (await store.listReleases({ limit: 10 })).find(({ id }) => id === release.id);
    assert.deepEqual(found, { ...release, attempts });
  });

  it('keeps mirror transactions', async () => {
    await store.saveMirror(aMirror({ outcome: 'running', endTime: null }));
    await store.saveMirror(aMirror());
    assert.deepEqual(await store.listMirrors({ limit: 10 }), [aMirror()]);
  });

  it('remembers what was told', async () => {
    assert.equal(await store.wasTold('report-1'), false);
    await store.markTold('report-1');
    await store.markTold('report-1');
    assert.equal(await store.wasTold('report-1'), true);
    await store.forgetTold('report-1');
    assert.equal(await store.wasTold('report-1'), false);
  });

  it('has everything that was answered for, after its process is killed', async () => {
    const place = join(directory, 'killed');
    const module = new URL('../../../infra/store/store.ts', import.meta.url).href;
    const script = `const { openStore } = await import(${JSON.stringify(module)});
      const store = await openStore(process.argv[1]);
      await store.markTold('before the kill');
      console.log('written');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script, place]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    const reopened = await openStore(place);
    assert.equal(await reopened.wasTold('before the kill'), true);
    await reopened.close();
  });
});
