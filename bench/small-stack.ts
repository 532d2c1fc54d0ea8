import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pino from 'pino';
import { hostArch } from '../activities/host-arch.ts';
import { openProvider } from '../activities/nodes/registry.ts';
import { keepHelper } from '../activities/process/helper.ts';
import { createReportActivities } from '../activities/report/activities.ts';
import { createSealer } from '../activities/secrets/seal.ts';
import { createStageActivities, type StageDeps } from '../activities/stages.ts';
import { findTemporal } from '../infra/bootstrap/find.ts';
import { createCommon } from '../infra/common/common.ts';
import { createControl } from '../infra/compose/control.ts';
import { loadConfig } from '../infra/config/load.ts';
import { addProject } from '../infra/git-host/project.ts';
import { standalone } from '../infra/stack/settings.ts';
import { openStore } from '../infra/store/store.ts';
import { bundleWorkflows } from '../infra/temporal/bundle.ts';
import { connect } from '../infra/temporal/connection.ts';
import { runWorker } from '../infra/temporal/run-worker.ts';
import { createControlWorker, createJobWorkers } from '../infra/temporal/worker.ts';
import type { Actor } from '../pipelines/model/actor.ts';
import { startDevServer } from '../test/infra/temporal/dev-server.ts';

const execute = promisify(execFile);
const project = 'empty';
const author = { GIT_AUTHOR_NAME: 'Ann', GIT_AUTHOR_EMAIL: 'ann@example.org' };
const committer = { GIT_COMMITTER_NAME: 'Ann', GIT_COMMITTER_EMAIL: 'ann@example.org' };

/** Who approves. */
export const ann: Actor = { name: 'ann', kind: 'person', via: 'inside' };

/** One repository under the gate, on the server process's own parts; stages are given by the benchmark. */
export interface SmallStack {
  readonly control: ReturnType<typeof createControl>;
  /** Pushes changes for review, each a file of its own on the branch's tip, and answers with their ids. */
  propose(names: readonly string[]): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Git as a developer calls it, in a clone of the repository. */
async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute('git', ['-C', directory, ...args], {
    env: { ...process.env, ...author, ...committer },
  });
  return stdout + stderr;
}

/** Starts Temporal on a file, the control worker, and a worker for `stages`; `configuration` is the project's own. */
export async function startSmallStack(configuration: string, stages: StageDeps['stages']): Promise<SmallStack> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const executable = findTemporal();
  if (executable === undefined) throw new Error('no Temporal server on this machine: ./sluice doctor --mend');
  await seed(home, configuration);
  const server = await startDevServer(executable, { port: 0, database: join(home, 'temporal.db') });
  await server.ready();
  const file = join(home, 'sluice.yaml');
  await writeFile(file, `data: ./data\ntemporal: {address: "${server.address}"}\n`);
  await addProject(loadConfig({ file }), { name: project, url: join(home, 'seed'), queue: 'shared', templates: [] });
  const workers = await startWorkers(file, stages);
  const clone = join(home, 'clone');
  await git(home, 'clone', '--quiet', join(home, 'data', 'git', `${project}.git`), clone);
  return {
    control: workers.control,
    propose: (names) => propose(clone, names),
    async stop() {
      await workers.stop();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function seed(home: string, configuration: string): Promise<void> {
  const directory = join(home, 'seed');
  await git(home, 'init', '--quiet', '--initial-branch=main', directory);
  await writeFile(join(directory, '.zuul.yaml'), configuration);
  await git(directory, 'add', '.');
  await git(directory, 'commit', '--quiet', '--message', 'Start');
}

/** The control worker, and one for `stages`, in this process. @param file the configuration */
export async function startWorkers(file: string, stages: StageDeps['stages']) {
  const config = standalone(loadConfig({ file }));
  const endHelper = keepHelper();
  const common = createCommon(config);
  const temporal = await connect({ address: config.temporal.address, namespace: 'default' });
  const store = await openStore(common.paths.store, common.config.tenant);
  const report = createReportActivities({ store, publish: () => {} });
  const sealer = await createSealer(common.paths.secretKeys);
  const control = createControl({
    common,
    live: common.live,
    temporal,
    store,
    report,
    sealer,
    logger: pino({ level: 'silent' }),
  });
  const notHere = async () => ({ result: 'ERROR' as const, summary: 'not here', artifacts: [] });
  const script = { run: notHere, resume: notHere };
  const { logs, paths } = common;
  const provider = openProvider('docker');
  const activities = createStageActivities({ stages, script, logs, workRoot: paths.work, provider });
  const workers = [
    await createControlWorker({ temporal, bundle: await bundleWorkflows(), activities: control.activities }),
    ...(await createJobWorkers({ temporal, activities, arch: hostArch(), slots: 40 })),
  ];
  const done = Promise.all(workers.map(runWorker));
  const stop = async () => {
    for (const worker of workers) worker.shutdown();
    await done;
    await store.close();
    await temporal.close();
    endHelper();
  };
  return { control, store, stop };
}

async function propose(clone: string, names: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  await git(clone, 'fetch', '--quiet', 'origin', 'main');
  for (const name of names) {
    await git(clone, 'checkout', '--quiet', '--detach', 'FETCH_HEAD');
    await writeFile(join(clone, name), `${name}\n`);
    await git(clone, 'add', '.');
    const id = `I${Buffer.from(name).toString('hex').padStart(40, '0').slice(-40)}`;
    await git(clone, 'commit', '--quiet', '--message', `Add ${name}\n\nChange-Id: ${id}`);
    await git(clone, 'push', '--quiet', 'origin', 'HEAD:refs/for/main');
    ids.push(id);
  }
  return ids;
}
