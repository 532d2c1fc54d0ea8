import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isLate, timedOut } from '../../../activities/late.ts';
import { createDockerEngine } from '../../../activities/nodes/docker/engine.ts';
import { createDockerProvider } from '../../../activities/nodes/docker/provider.ts';
import type { StageRunner } from '../../../activities/ports.ts';
import { createScriptStage } from '../../../activities/script/script-stage.ts';
import { createStageActivities } from '../../../activities/stages.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createFileLogStore } from '../../../activities/storage/filesystem/log-store.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { GateCommand } from '../../../pipelines/gate/command.ts';
import { nodesId } from '../../../workflows/ids.ts';
import { nodesQuery, nodesReleaseSignal } from '../../../workflows/messages.ts';
import { change, frozenJob } from '../../workflows/make.ts';
import { Outside, testHost, until, World } from '../../workflows/world.ts';

const engine = createDockerEngine();

/** The programs of the one project that there is. */
const programs: Readonly<Record<string, string>> = {
  serve: `
(while ! test -e ~/stop; do sleep 0.1; done) >/dev/null 2>&1 &
echo "{\\"zuul\\": {\\"pause\\": true}, \\"place\\": \\"$(hostname -i)\\"}" > $SLUICE_RETURN`,
  use: 'grep -o \'"place":"[0-9.]*"\' $SLUICE_VARIABLES; sleep 1',
  stop: 'touch ~/stop; echo "stopped, $SLUICE_SUCCESS"',
  fail: 'echo "FAIL: one"; sleep 300',
};

/** A stage that works until the job's time is up. */
const untilLate: StageRunner = async (input, context) => {
  await once(context.signal, 'abort');
  assert.ok(isLate(context));
  return timedOut(input, [{ name: 'journal-one.txt', url: 'http://sluice.test/journal' }]);
};

class Containers extends Outside {
  readonly root: string;

  constructor(root: string) {
    super();
    this.root = root;
  }

  /** What comes between a worker's taking of a stage and its beginning. */
  early: () => Promise<unknown> = async () => {};

  override stages() {
    const storage = { root: this.root, baseUrl: 'http://sluice.test' };
    const script = createScriptStage({
      platform: (label) => {
        const found = builtInPlatforms.find(({ name }) => name === label) ?? assert.fail(label);
        return { ...found, buildImage: 'sluice/debian-12:minimal' };
      },
      defaultLabel: 'debian-12',
      host: testHost,
      openSecrets: () => Promise.reject(new Error('no job here has secrets')),
      store: createFileBlobStore(storage),
      branchTip: async () => null,
      sources: async (_, directory) => {
        for (const [name, body] of Object.entries(programs)) {
          await writeFile(join(directory, name), `#!/bin/sh -e\n${body}\n`);
          await chmod(join(directory, name), 0o755);
        }
      },
    });
    const logs = createFileLogStore(storage);
    const workRoot = join(this.root, 'work');
    const stages = createStageActivities({
      stages: { systest: untilLate },
      script,
      logs,
      workRoot,
      provider: createDockerProvider(engine),
    });
    const runStage: typeof stages.runStage = async (input) => {
      await this.early();
      return stages.runStage(input);
    };
    return { ...super.stages(), runStage, resumeStage: stages.resumeStage, sweepNodes: stages.sweepNodes };
  }
}

function program(path: string) {
  const from = { project: 'tinycdb', branch: 'main', trusted: false };
  return { path, ...from, cleanup: false, level: 0, semaphores: [] };
}

let root: string;
let outside: Containers;
let world: World;
before(async () => {
  await ensureImages(builtInPlatforms.slice(0, 1), () => {});
  root = await mkdtemp(join(tmpdir(), 'sluice-programs-'));
  outside = new Containers(root);
  world = await World.start(outside);
});
after(async () => {
  await world.stop();
  await rm(root, { recursive: true, force: true });
});

function entering(id: string): GateCommand[] {
  const time = Date.now();
  return [
    { type: 'observe', time, changes: [change(id)] },
    { type: 'enqueue', time, pipeline: 'gate', change: id },
  ];
}

function buildOf(job: string, id: string) {
  return [...outside.builds.values()].find((build) => build.job === job && build.change === id);
}

async function logOf(job: string, id: string): Promise<string> {
  return readFile(join(root, 'logs', buildOf(job, id)?.id ?? '', 'script.log'), 'utf8');
}

test('a job serves another one from its container, and ends after it', async () => {
  const serve = frozenJob('serve', { run: [program('serve')], postRun: [program('stop')] });
  const use = frozenJob('use', { run: [program('use')], dependencies: [{ name: 'serve', soft: false }] });
  outside.jobs = () => [serve, use];
  await world.tell('serve', entering('serve-0'));
  await until('it is merged', () => outside.merged.includes('serve-0'), 600_000);
  assert.match(await logOf('use', 'serve-0'), /"place":"\d+\.\d+\.\d+\.\d+"/);
  const log = await logOf('serve', 'serve-0');
  assert.match(log, /run serve\n.*it pauses until.*\n.*post-run stop\nstopped, true\n.* SUCCESS: serve succeeded\n$/);
  const [served, used] = [buildOf('serve', 'serve-0'), buildOf('use', 'serve-0')];
  assert.ok((served?.endTime ?? 0) >= (used?.endTime ?? Number.POSITIVE_INFINITY));
  assert.equal(await engine.find(served?.id ?? ''), null);
});

test('the gate knows of a failure while the program still runs', async () => {
  outside.jobs = () => [frozenJob('fail', { run: [program('fail')], failureOutput: ['FAIL:'] })];
  const gate = await world.tell('fail', entering('fail-0'));
  await until('it is failing', async () => (await world.view(gate)).items[0]?.state === 'failing', 600_000);
  assert.equal((await world.view(gate)).items[0]?.jobs[0]?.result, null);
  await world.tell('fail', [{ type: 'dequeue', time: Date.now(), pipeline: 'gate', change: 'fail-0' }]);
  await until('it is cancelled', () => buildOf('fail', 'fail-0')?.result === 'CANCELED', 600_000);
  assert.equal(await engine.find(buildOf('fail', 'fail-0')?.id ?? ''), null);
});

test('a job that was lent its nodes runs on them, and gives them back when nothing is left', async () => {
  const nodeset = { name: '', nodes: [{ name: ['one'], label: 'debian-12' }], groups: [] };
  const runs = (name: string) => frozenJob(name, { run: [program('stop')], nodeset });
  outside.jobs = () => [runs('first'), runs('second')];
  outside.capacity = { maxServers: 1 };
  let most = 0;
  outside.early = async () => {
    const { leases } = await world.temporal.client.workflow.getHandle(nodesId('docker')).query(nodesQuery);
    most = Math.max(most, leases.length);
  };
  await world.tell('lent', entering('lent-0'));
  await until('it is merged', () => outside.merged.includes('lent-0'), 600_000);
  assert.equal(most, 1);
  for (const job of ['first', 'second']) assert.equal(await engine.find(buildOf(job, 'lent-0')?.id ?? ''), null);
});

test('a stage whose nodes were taken back runs nothing', async () => {
  const nodeset = { name: '', nodes: [{ name: ['one'], label: 'debian-12' }], groups: [] };
  outside.jobs = () => [frozenJob('stale', { run: [program('stop')], nodeset, attempts: 1 })];
  outside.capacity = { maxServers: 1 };
  outside.early = async () => {
    const desk = world.temporal.client.workflow.getHandle(nodesId('docker'));
    const { leases } = await desk.query(nodesQuery);
    for (const { token } of leases) await desk.signal(nodesReleaseSignal, { token });
  };
  await world.tell('stale', entering('stale-0'));
  await until('it has ended', () => typeof buildOf('stale', 'stale-0')?.result === 'string', 600_000);
  assert.equal(buildOf('stale', 'stale-0')?.summary, "the job's nodes were taken back");
  await assert.rejects(logOf('stale', 'stale-0'), /ENOENT/);
});

test("I10: what a stage keeps when the job's time is up is kept with the verdict", async () => {
  outside.jobs = () => [frozenJob('late', { uses: 'systest', timeout: 1 })];
  outside.capacity = {};
  await world.tell('late', entering('late-0'));
  await until('it is over', () => buildOf('late', 'late-0')?.result != null, 600_000);
  const { result, artifacts } = buildOf('late', 'late-0') ?? assert.fail();
  assert.deepEqual([result, artifacts.map(({ name }) => name)], ['TIMED_OUT', ['journal-one.txt', 'systest.log']]);
});
