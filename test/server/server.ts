import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReportActivities } from '../../activities/report/activities.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { createFileLogStore } from '../../activities/storage/filesystem/log-store.ts';
import { createReleasedStore } from '../../activities/storage/filesystem/released-store.ts';
import { openStore, type Store } from '../../infra/store/store.ts';
import type { GateAnswer } from '../../pipelines/gate/command.ts';
import type { Actor } from '../../pipelines/model/actor.ts';
import type { Change } from '../../pipelines/model/change.ts';
import { createApp } from '../../server/app.ts';
import type { ServerDeps } from '../../server/deps.ts';
import { createLiveStream, type LiveStream } from '../../server/live.ts';
import { readOrCreateToken } from '../../server/token.ts';
import { change } from '../workflows/make.ts';

export interface TestServer {
  readonly url: string;
  readonly data: string;
  readonly token: string;
  readonly store: Store;
  readonly live: LiveStream;
  /** What workflows would call. */
  readonly report: ReturnType<typeof createReportActivities>;
  /** What was asked of the operations, the changes and the intake, in order. */
  readonly asked: readonly { readonly what: string; readonly input: unknown }[];
  /** What the operations answer from now on. */
  answer: GateAnswer;
  /** The changes that are open. */
  open: readonly Change[];
  stop(): Promise<void>;
}

/** Changes by the names that people give them. */
const known = new Map([
  ...['I1', 'I2'].map((id) => [id, id] as const),
  ...['5', 'git:5', 'p/5'].map((name) => [name, 'git:5'] as const),
  ['6', 'git:6'],
  ['plain:5', 'plain:5'],
]);

/** Of these one has a configuration in it. */
const found = (id: string) => change(id, id === 'git:6' ? { files: ['.zuul.yaml'] } : {});

/** Who holds the token. */
const ada: Actor = { name: 'ada', kind: 'person', via: 'token' };

/** The real server and store on a free port, in front of operations that only write down what they were asked. */
export async function startServer(given: Partial<ServerDeps> = {}): Promise<TestServer> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-server-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(data, { recursive: true })];
  const stop = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    return Object.assign(await startIn(data, given, ends), { stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startIn(data: string, given: Partial<ServerDeps>, ends: (() => Promise<unknown>)[]) {
  const storage = { root: join(data, 'storage'), baseUrl: '' };
  const [blobs, logs] = [createFileBlobStore(storage), createFileLogStore(storage)];
  const paths = {
    repositories: join(data, 'repositories'),
    released: join(data, 'released'),
  };
  for (const path of Object.values(paths)) await mkdir(path);
  const token = await readOrCreateToken(data);
  const store = await openStore(join(data, 'store'));
  ends.push(() => store.close());
  const live = createLiveStream();
  const asked: { what: string; input: unknown }[] = [];
  const server = { answer: { ok: true } as GateAnswer, open: [] as readonly Change[] };
  const ask = (what: string) => async (actor: Actor, input: unknown) => {
    asked.push({ what, input, ...(actor === ada ? {} : { actor }) });
    return server.answer;
  };
  const released = createReleasedStore({ root: paths.released, baseUrl: async () => '/released' });
  const app = await createApp({
    ...{ holder: ada, released },
    ...{ store, live, blobs, logs, paths, token, temporalUi: { url: 'http://127.0.0.1:8233', namespace: 'default' } },
    operations: {
      enqueue: ask('enqueue'),
      dequeue: ask('dequeue'),
      promote: ask('promote'),
      retrigger: ask('retrigger'),
      cancel: ask('cancel'),
    },
    changes: {
      list: async () => server.open,
      async read(name) {
        const id = known.get(name);
        if (id !== undefined) return found(id);
        throw Object.assign(new Error(`there is no change ${name}`), { name: 'UnknownChange' });
      },
      async history(name) {
        if (!known.has(name)) throw Object.assign(new Error(`there is no change ${name}`), { name: 'UnknownChange' });
        return { commit: 'c'.repeat(40), merged: null, happenings: [], bases: [] };
      },
      comment: async ({ name }, change, text) => void asked.push({ what: 'comment', input: { change, text, name } }),
      vote: async ({ name }, change, vote) => void asked.push({ what: 'vote', input: { change, ...vote, name } }),
      abandon: async ({ name }, change) => void asked.push({ what: 'abandon', input: { change, name } }),
      restore: async ({ name }, change) => void asked.push({ what: 'restore', input: { change, name } }),
    },
    secrets: {
      token: 'worker',
      publicKey: async (tenant, project) => (tenant === 'main' ? `key of ${project}` : undefined),
      open: async (request) => {
        asked.push({ what: 'secrets', input: request });
        return [];
      },
    },
    listInUse: async () => 0,
    ingest: { webhook: () => null, take: async () => false },
    intake: async (notice) => void asked.push({ what: 'intake', input: notice }),
    ready: async () => {},
    ...given,
  });
  ends.push(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return Object.assign(server, {
    ...{ url, data, token, store, live, asked },
    report: createReportActivities({ store, publish: live.publish }),
  });
}
