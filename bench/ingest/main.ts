import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const rate = 200;
const secret = 'of the benchmark';
const body = JSON.stringify({ action: 'created', comment: { body: randomBytes(6_000).toString('base64') } });
const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
const agent = new Agent({ keepAlive: true, maxSockets: 50 });

/** Posts one delivery. @returns milliseconds until it was answered. */
function deliver(url: string, id: string): Promise<number> {
  const begun = performance.now();
  const headers = { 'content-type': 'application/json', 'x-github-delivery': id, 'x-hub-signature-256': signature };
  return new Promise((resolve, reject) => {
    const posted = request(`${url}/api/connection/hub/payload`, { agent, method: 'POST', headers }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 202) resolve(performance.now() - begun);
        else reject(new Error(`delivery ${id} was answered with ${answer.statusCode}`));
      });
    });
    posted.once('error', reject).end(body);
  });
}

async function deliverAll(url: string, seconds: number): Promise<readonly number[]> {
  const answers: Promise<number>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < seconds * rate; sent += 1) {
    await sleep(Math.max(0, start + (sent * 1000) / rate - performance.now()));
    answers.push(deliver(url, `d-${sent % 10 === 9 ? sent - 1 : sent}`));
  }
  return (await Promise.all(answers)).sort((a, b) => a - b);
}

async function measure(directory: string, seconds: number) {
  const program = join(import.meta.dirname, 'server.ts');
  const server = spawn(process.execPath, [program, directory, secret], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const say = async <T>() => JSON.parse((await lines.next()).value ?? 'null') as T;
  try {
    const { url } = await say<{ readonly url: string }>();
    // What is slow the first time is not what is measured.
    for (let warm = 0; warm < 50; warm += 1) await deliver(url, `warm-${warm}`);
    const begun = performance.now();
    const times = await deliverAll(url, seconds);
    const wall = (performance.now() - begun) / 1000;
    server.stdin.end();
    const did = await say<{ readonly handed: number; readonly seconds: number }>();
    const at = (share: number) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10;
    return {
      accepted: { deliveries: times.length, aSecond: Math.round(times.length / wall) },
      handedOn: did.handed - 50,
      milliseconds: { p50: at(0.5), p99: at(0.99), worst: at(0.9999) },
      cores: Math.round((did.seconds / wall) * 100) / 100,
    };
  } finally {
    server.kill();
  }
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
const seconds = Number(values.seconds);
const root = await mkdtemp(join(tmpdir(), 'sluice-webhooks-'));
try {
  const measured = await measure(join(root, 'store'), seconds);
  const limits = { aSecond: 0.95 * rate, p99Milliseconds: 50, cores: 1 };
  const { accepted, milliseconds, cores, handedOn } = measured;
  const holds =
    accepted.aSecond >= limits.aSecond &&
    milliseconds.p99 < limits.p99Milliseconds &&
    cores < limits.cores &&
    handedOn === seconds * rate * 0.9;
  console.log(JSON.stringify({ bench: 'ingest', rate, seconds, ...measured, limits, holds }, null, 2));
  if (!holds) process.exitCode = 1;
} finally {
  agent.destroy();
  await rm(root, { recursive: true, force: true });
}
