import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { git } from '../../activities/git/git.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { createReportActivities } from '../../activities/report/activities.ts';
import { createSealer } from '../../activities/secrets/seal.ts';
import { createStageActivities } from '../../activities/stages.ts';
import { findTemporal } from '../../infra/bootstrap/find.ts';
import { createCommon } from '../../infra/compose/common.ts';
import { createControl } from '../../infra/compose/control.ts';
import { startIngest } from '../../infra/compose/ingest.ts';
import { listenToStreams } from '../../infra/compose/streams.ts';
import { loadConfig } from '../../infra/config/load.ts';
import { done } from '../../infra/gerrit/account.ts';
import { hostArch } from '../../infra/stack/arch.ts';
import { standalone } from '../../infra/stack/settings.ts';
import { openStore } from '../../infra/store/store.ts';
import { bundleWorkflows } from '../../infra/temporal/bundle.ts';
import { connect as connectTemporal } from '../../infra/temporal/connection.ts';
import { startDevServer } from '../../infra/temporal/dev-server.ts';
import { createControlWorker, createStageWorker } from '../../infra/temporal/worker.ts';
import { openDesk } from '../activities/review/gerrit/desk.ts';
import { type SharedGerrit, sharedGerrit } from '../activities/review/gerrit/world.ts';

const own = '- project: {check: {jobs: [noop]}, gate: {jobs: [noop]}}\n';
const broken = '- job: {name: broken, run: x.sh}\n- project: {check: {jobs: [noop]}, gate: {jobs: [broken]}}\n';

/** The server's own parts on a real Temporal server; jobs that run a program fail. */
async function startSluice(t: TestContext, gerrit: SharedGerrit) {
  const home = await mkdtemp(join(tmpdir(), 'sluice-story-'));
  const temporalServer = await startDevServer(findTemporal() ?? assert.fail('no Temporal server'), {
    ...{ port: 0, database: join(home, 'temporal.db') },
  });
  await temporalServer.ready();
  const file = join(home, 'sluice.yaml');
  const text = {
    data: './data',
    temporal: { address: temporalServer.address },
    connections: { review: gerrit.settings },
    projects: { 'story-*': { connection: 'review', queue: 'core' } },
  };
  await writeFile(file, JSON.stringify(text));
  const config = standalone(loadConfig({ file }));
  const common = createCommon(config);
  const temporal = await connectTemporal({ address: config.temporal.address, namespace: 'default' });
  const store = await openStore(common.paths.store, config.tenant);
  const report = createReportActivities({ store, publish: () => {} });
  const sealer = await createSealer(common.paths.secretKeys);
  const logger = pino({ level: process.env.SLUICE_STORY_LOG ?? 'silent' });
  const control = createControl({ common, live: common.live, temporal, store, report, sealer, logger });
  const comments = [{ file: '.zuul.yaml', line: 1, message: 'this breaks it' }];
  const fails = async () => ({ result: 'FAILURE' as const, summary: 'it is broken', artifacts: [], comments });
  const activities = createStageActivities({
    ...{ stages: {} as never, script: { run: fails, resume: fails }, logs: common.logs, workRoot: common.paths.work },
    provider: openProvider('docker'),
  });
  const workers = [
    await createControlWorker({ temporal, bundle: await bundleWorkflows(), activities: control.activities }),
    await createStageWorker({ temporal, activities, arch: hostArch(), slots: 4 }),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  const ingest = startIngest({ store, connections: control.connections, router: control.router, logger });
  const streams = listenToStreams({ connections: control.connections, take: ingest.take, logger });
  t.after(async () => {
    await streams.stop();
    await ingest.stop();
    for (const worker of workers) worker.shutdown();
    await running;
    await store.close();
    await temporal.close();
    await temporalServer.stop();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });
  return { control, streams };
}

/** A commit's message with the footers that Gerrit wants. */
function titled(subject: string, ...footers: readonly string[]): string {
  return `${[subject, '', ...footers, `Change-Id: I${randomBytes(20).toString('hex')}`].join('\n')}\n`;
}

interface Info {
  readonly status: string;
  readonly labels: Readonly<
    Record<string, { readonly all?: readonly { readonly value?: number; readonly username?: string }[] }>
  >;
  readonly messages: readonly { readonly message: string }[];
}

async function until<T>(what: string, find: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = Date.now() + 300_000; Date.now() < deadline; await sleep(200)) {
    const found = await find();
    if (found) return found;
  }
  assert.fail(`not so after five minutes: ${what}`);
}

test('changes of two projects on a real Gerrit are checked, approved by REST and merged; one that fails is not', async (t) => {
  const gerrit = await sharedGerrit();
  const read = async (number: number) => {
    const options = 'o=DETAILED_LABELS&o=DETAILED_ACCOUNTS&o=MESSAGES';
    return (await done(gerrit.rest('GET', `/changes/${number}?${options}`))) as Info;
  };
  const verified = async (number: number) => {
    const votes = (await read(number)).labels.Verified?.all ?? [];
    return votes.find(({ username }) => username === 'sluice')?.value ?? 0;
  };
  const one = await openDesk(t, gerrit, { project: 'story-one', parent: 'All-Projects' });
  const two = await openDesk(t, gerrit, { project: 'story-two', parent: 'All-Projects' });
  for (const desk of [one, two]) {
    const { number } = await desk.propose({
      files: { '.zuul.yaml': own },
      message: titled('Bring the configuration'),
    });
    const all = { labels: { 'Code-Review': 2, Workflow: 1, Verified: 2 } };
    await done(gerrit.rest('POST', `/changes/${number}/revisions/current/review`, all));
    await done(gerrit.rest('POST', `/changes/${number}/submit`, {}));
  }
  const { control, streams } = await startSluice(t, gerrit);
  await control.activities.syncReviews({ connection: 'review' });
  await until('both projects are known', async () => {
    const { projects } = await control.layout();
    return projects.byName.has('story-one') && projects.byName.has('story-two');
  });

  const a = await one.propose({ files: { a: '1' }, message: titled('Add a') });
  const url = `${gerrit.settings.url}/c/story-one/+/${a.number}`;
  const b = await two.propose({ files: { b: '1' }, message: titled('Add b', `Depends-On: ${url}`) });
  const c = await two.propose({ files: { '.zuul.yaml': broken }, message: titled('Break it') });
  for (const { number } of [a, b, c]) await until(`${number} is checked`, async () => (await verified(number)) === 1);
  assert.deepEqual(streams.unheard(), []);

  const approval = { labels: { 'Code-Review': 2, Workflow: 1 } };
  for (const { number } of [b, c, a]) {
    await done(gerrit.rest('POST', `/changes/${number}/revisions/current/review`, approval));
  }
  for (const { number } of [a, b])
    await until(`${number} is merged`, async () => (await read(number)).status === 'MERGED');
  await until('the gate says no to the third', async () => (await verified(c.number)) === -2);
  assert.equal((await read(c.number)).status, 'NEW');
  const onLines = (await done(gerrit.rest('GET', `/changes/${c.number}/comments`))) as Record<string, object[]>;
  assert.partialDeepStrictEqual(onLines, {
    '.zuul.yaml': [{ line: 1, message: 'this breaks it', unresolved: false }],
  });
  const [tipOne, tipTwo] = [await one.fetch('refs/heads/master'), await two.fetch('refs/heads/master')];
  await git(one.repo, ['merge-base', '--is-ancestor', a.commit, tipOne]);
  await git(two.repo, ['merge-base', '--is-ancestor', b.commit, tipTwo]);
  const said = (await read(b.number)).messages.map(({ message }) => message).join('\n');
  assert.match(said, /noop/);
  assert.equal(await verified(a.number), 2);
});
