import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { stringify } from 'yaml';
import type { StageRunner } from '../../activities/ports.ts';
import { findTemporal } from '../../infra/bootstrap/find.ts';
import { startIngest } from '../../infra/compose/ingest.ts';
import { listenToStreams } from '../../infra/compose/streams.ts';
import type { Store } from '../../infra/store/store.ts';
import { startDevServer } from '../../test/infra/temporal/dev-server.ts';
import { startWorkers } from '../small-stack.ts';
import { startHost } from './host.ts';
import { readOwnParts } from './parts.ts';
import type { MeasuredGate } from './rounds.ts';

const project = 'bench/empty';

const configuration = `
- job: {name: empty-job, uses: build, attempts: 1, nodeset: {nodes: [{name: node, label: debian-12}]}}
- project: {gate: {jobs: [empty-job]}}
`;

const run: StageRunner = async () => ({ result: 'SUCCESS', summary: 'empty', artifacts: [] });

/** Sluice before a real Gerrit, as far as it is in the server's process: its workers, streams and store are here. */
export async function startSluice(): Promise<MeasuredGate> {
  const executable = findTemporal();
  if (executable === undefined) throw new Error('no Temporal server on this machine: ./sluice doctor --mend');
  const host = await startHost({ [project]: { '.zuul.yaml': configuration } });
  const { home, account: review } = host;
  const temporal = await startDevServer(executable, { port: 0, database: join(home, 'temporal.db') });
  await temporal.ready();
  const file = join(home, 'sluice.yaml');
  await writeFile(
    file,
    stringify({
      data: './data',
      temporal: { address: temporal.address },
      connections: { review },
      projects: { [project]: { connection: 'review', queue: 'shared' } },
    }),
  );
  const workers = await startWorkers(file, { build: run });
  const { control, store } = workers;
  const logger = pino({ level: 'silent' });
  const ingest = startIngest({ store, connections: control.connections, router: control.router, logger });
  const streams = listenToStreams({ connections: control.connections, take: ingest.take, logger });
  const others = new Map([
    [host.pid, 'Gerrit'],
    [temporal.pid, 'Temporal'],
  ]);
  return {
    ...{ host, project },
    readParts: () => readOwnParts(others),
    async stop() {
      try {
        await streams.stop();
        await quiet(store);
        await ingest.stop();
        await workers.stop();
      } finally {
        await temporal.stop();
        await host.stop();
      }
    },
  };
}

/** Milliseconds until what is still being handled is given up. */
const longest = 60_000;

/** Waits until all that was heard is handled: what is under way when its server goes would end with an error. */
async function quiet(store: Pick<Store, 'occurrences'>): Promise<void> {
  const waiting = async () => (await store.occurrences.backlog()).reduce((sum, each) => sum + each.waiting, 0);
  for (const end = performance.now() + longest; performance.now() < end && (await waiting()) > 0; ) await sleep(200);
}
