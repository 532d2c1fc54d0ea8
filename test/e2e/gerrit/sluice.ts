import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { hostArch } from '../../../activities/host-arch.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { createReportActivities } from '../../../activities/report/activities.ts';
import { createSealer } from '../../../activities/secrets/seal.ts';
import { createStageActivities } from '../../../activities/stages.ts';
import { findTemporal } from '../../../infra/bootstrap/find.ts';
import { createCommon } from '../../../infra/common/common.ts';
import { createControl } from '../../../infra/compose/control.ts';
import { startIngest } from '../../../infra/compose/ingest.ts';
import { listenToStreams } from '../../../infra/compose/streams.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { done } from '../../../infra/gerrit/account.ts';
import { standalone } from '../../../infra/stack/settings.ts';
import { openStore } from '../../../infra/store/store.ts';
import { bundleWorkflows } from '../../../infra/temporal/bundle.ts';
import { connect as connectTemporal } from '../../../infra/temporal/connection.ts';
import { runWorker } from '../../../infra/temporal/run-worker.ts';
import { createControlWorker, createJobWorkers } from '../../../infra/temporal/worker.ts';
import { type Desk, openDesk } from '../../activities/review/gerrit/desk.ts';
import type { SharedGerrit } from '../../activities/review/gerrit/world.ts';
import { startDevServer } from '../../infra/temporal/dev-server.ts';

/** A data directory, and a Temporal server, that outlive the server. */
export interface Home {
  readonly directory: string;
  /** Ends what was started there: before Temporal does, for a worker asks that to its end. */
  readonly ends: (() => Promise<void>)[];
}

/** @param projects a pattern of its projects: what other tests have left open is none of its affair */
export async function makeHome(t: TestContext, gerrit: SharedGerrit, projects: string): Promise<Home> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-story-'));
  const temporalServer = await startDevServer(findTemporal() ?? assert.fail('no Temporal server'), {
    ...{ port: 0, database: join(home, 'temporal.db') },
  });
  const ends: Home['ends'] = [];
  t.after(async () => {
    for (const end of ends) await end();
    await temporalServer.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });
  await temporalServer.ready();
  const text = {
    data: './data',
    temporal: { address: temporalServer.address },
    connections: { review: gerrit.settings },
    projects: { [projects]: { connection: 'review', queue: 'core' } },
  };
  await writeFile(join(home, 'sluice.yaml'), JSON.stringify(text));
  return { directory: home, ends };
}

let bundle: ReturnType<typeof bundleWorkflows> | undefined;

type StageDeps = Parameters<typeof createStageActivities>[0];

/** The server's own parts on a real Temporal server; `run` is what jobs with a program do. They end before the home does. */
export async function startSluice(home: Home, run: StageDeps['script']['run']) {
  const config = standalone(loadConfig({ file: join(home.directory, 'sluice.yaml') }));
  const common = createCommon(config);
  const temporal = await connectTemporal({ address: config.temporal.address, namespace: 'default' });
  const store = await openStore(common.paths.store, config.tenant);
  const report = createReportActivities({ store, publish: () => {} });
  const sealer = await createSealer(common.paths.secretKeys);
  const logger = pino({ level: process.env.SLUICE_STORY_LOG ?? 'silent' });
  const control = createControl({ common, live: common.live, temporal, store, report, sealer, logger });
  const resume: StageDeps['script']['resume'] = () => assert.fail('no job is resumed here');
  const activities = createStageActivities({
    ...{ stages: {} as never, script: { run, resume }, logs: common.logs, workRoot: common.paths.work },
    provider: openProvider('docker'),
  });
  bundle ??= bundleWorkflows();
  const workers = [
    await createControlWorker({ temporal, bundle: await bundle, activities: control.activities }),
    ...(await createJobWorkers({ temporal, activities, arch: hostArch(), slots: 4 })),
  ];
  const running = Promise.all(workers.map(runWorker));
  const ingest = startIngest({ store, connections: control.connections, router: control.router, logger });
  const streams = listenToStreams({ connections: control.connections, take: ingest.take, logger });
  const end = async () => {
    await streams.stop();
    await ingest.stop();
    for (const worker of workers) worker.shutdown();
    await running;
    await store.close();
    await temporal.close();
  };
  let ended: Promise<void> | undefined;
  const stop = () => {
    ended ??= end();
    return ended;
  };
  home.ends.push(stop);
  return { control, streams, git: common.git, stop };
}

/** A commit's message with the footers that Gerrit wants. */
export function titled(subject: string, ...footers: readonly string[]): string {
  return `${[subject, '', ...footers, `Change-Id: I${randomBytes(20).toString('hex')}`].join('\n')}\n`;
}

export interface Info {
  readonly status: string;
  readonly labels: Readonly<
    Record<string, { readonly all?: readonly { readonly value?: number; readonly username?: string }[] }>
  >;
  readonly messages: readonly { readonly message: string }[];
}

/**
 * Waits for what comes by itself, for twenty minutes: other tests run beside this one, and a gate builds packages.
 *
 * @param told what was said instead, for the error
 */
export async function until<T>(
  what: string,
  find: () => Promise<T | undefined | false>,
  told: () => Promise<string> = async () => '',
): Promise<T> {
  for (const deadline = Date.now() + 1_200_000; Date.now() < deadline; await sleep(200)) {
    const found = await find();
    if (found) return found;
  }
  assert.fail(`not so after twenty minutes: ${what}\n${await told()}`);
}

/** What Gerrit's people see and do over REST. */
export function people(gerrit: SharedGerrit) {
  const read = async (change: number | string) => {
    const options = 'o=DETAILED_LABELS&o=DETAILED_ACCOUNTS&o=MESSAGES';
    return (await done(gerrit.rest('GET', `/changes/${change}?${options}`))) as Info;
  };
  const verified = async (change: number | string) => {
    const votes = (await read(change)).labels.Verified?.all ?? [];
    return votes.find(({ username }) => username === 'sluice')?.value ?? 0;
  };
  const act = (number: number, path: string, body: object = {}) =>
    done(gerrit.rest('POST', `/changes/${number}/${path}`, body));
  const approve = (number: number, more: object = {}) =>
    act(number, 'revisions/current/review', { labels: { 'Code-Review': 2, Workflow: 1, ...more } });
  const told = async (change: number | string) =>
    (await read(change)).messages.map(({ message }) => message).join('\n---\n');
  return { read, verified, told, act, approve };
}

/** A project with jobs of its own. */
export async function openStory(
  t: TestContext,
  gerrit: SharedGerrit,
  { project, jobs }: { readonly project: string; readonly jobs: string },
): Promise<Desk> {
  const { approve, act } = people(gerrit);
  const desk = await openDesk(t, gerrit, { project, parent: 'All-Projects' });
  const { number } = await desk.propose({ files: { '.zuul.yaml': jobs }, message: titled('Bring the configuration') });
  await approve(number, { Verified: 2 });
  await act(number, 'submit');
  return desk;
}
