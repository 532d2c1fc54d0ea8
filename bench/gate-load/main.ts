import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import { withFilesByDigest } from '../../server/events/files.ts';
import { createGateClient, type GateClient } from '../../server/events/gate-client.ts';
import { change, entering, frozenJob, pipelineNamed } from '../../test/workflows/make.ts';
import { Outside, World } from '../../test/workflows/world.ts';
import { gateId } from '../../workflows/ids.ts';

const name = { tenant: 'main', pipeline: 'gate', queue: 'load' };
const rate = 50;

/** Jobs that never end, and payloads in files: what is measured is the gate. */
class HeldOutside extends Outside {
  readonly #root: string;

  constructor(root: string) {
    super();
    this.#root = root;
    this.jobs = () => [frozenJob('build', { uses: 'build', attempts: 1 })];
    this.stage = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }

  override payloads() {
    return createFileBlobStore({ root: join(this.#root, 'payloads'), baseUrl: '' }) as never;
  }
}

/** Changes that touch many files each, as the router hands them on. */
function changesOf(root: string, items: number, paths: number): Promise<readonly ChangeFacts[]> {
  const blobs = createFileBlobStore({ root, baseUrl: '' });
  return Promise.all(
    Array.from({ length: items }, (_, index) => {
      const files = Array.from({ length: paths }, (_, file) => `source/part-${index}/file-${file}.c`);
      return withFilesByDigest(blobs, change(`load-${index}`, { files, message: 'What it is about. '.repeat(50) }));
    }),
  );
}

interface Load {
  readonly gates: GateClient;
  readonly changes: readonly ChangeFacts[];
  readonly seconds: number;
  /** Called about once a second. */
  readonly look: () => Promise<void>;
}

/** Votes on changes anywhere in the queue, one every 20 ms. @returns milliseconds until each was decided on */
async function send({ gates, changes, seconds, look }: Load): Promise<readonly number[]> {
  const times: number[] = [];
  const answers: Promise<void>[] = [];
  const start = performance.now();
  let looking = Promise.resolve();
  for (let sent = 0; sent < seconds * rate; sent += 1) {
    await sleep(Math.max(0, start + (sent * 1000) / rate - performance.now()));
    const facts = changes[(sent * 37) % changes.length];
    if (!facts) continue;
    const votes = [{ label: 'Approved', value: sent % 3, by: 'ann', time: Date.now() }];
    const commands = [{ type: 'observe', time: Date.now(), changes: [{ ...facts, votes }] } as const];
    const before = performance.now();
    const answer = gates.tell(name, { id: `load-${sent}`, commands });
    answers.push(answer.then(() => void times.push(performance.now() - before)));
    if (sent % rate === 0) looking = looking.then(look);
  }
  await Promise.all([...answers, looking]);
  return times;
}

const megabytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);

async function measure(root: string, of: { items: number; paths: number; seconds: number }) {
  const world = await World.start(new HeldOutside(root));
  const { client } = world.temporal;
  const gates = createGateClient(client);
  const changes = await changesOf(root, of.items, of.paths);
  for (let at = 0; at < changes.length; at += 10) {
    const commands = entering(changes.slice(at, at + 10));
    await gates.tell(name, { id: `enter-${at}`, pipeline: pipelineNamed('gate'), limits: {}, commands });
  }
  while ((await world.view(gateId(name)).catch(() => null))?.items.length !== of.items) await sleep(200);
  const runs = new Map<string, number>();
  const look = async () => {
    const { runId, historyLength } = await client.workflow.getHandle(gateId(name)).describe();
    runs.set(runId, historyLength);
  };
  const before = megabytes();
  const times = [...(await send({ gates, changes, seconds: of.seconds, look }))].sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.floor(times.length * share)] ?? 0);
  const { items } = await world.view(gateId(name));
  const memory = { start: before, end: megabytes() };
  const result = {
    messages: times.length,
    left: items.length,
    p50: at(0.5),
    p99: at(0.99),
    memory,
    runs: [...runs.values()],
  };
  await world.stop();
  return result;
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } });
const of = { items: 1_000, paths: 5_000, seconds: Number(values.seconds) };
const root = await mkdtemp(join(tmpdir(), 'sluice-load-'));
try {
  const { p50, p99, memory, ...rest } = await measure(root, of);
  const limits = { p99Milliseconds: 250 };
  console.log(JSON.stringify({ ...of, rate, ...rest, milliseconds: { p50, p99 }, megabytes: memory, limits }, null, 2));
} finally {
  await rm(root, { recursive: true, force: true });
}
process.exit();
