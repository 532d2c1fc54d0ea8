import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '../../../activities/process/run.ts';
import { sendSignal } from '../../../activities/process/send-signal.ts';
import { type ApiClient, createClient } from '../../../cli/client.ts';
import { checkout } from '../../../infra/bootstrap/find.ts';
import { readHolder } from '../../../infra/stack/lock.ts';

const main = join(checkout, 'cli', 'main.ts');

/** The processes below `sluice up`, by words of their command lines. */
const parts = {
  server: 'main.ts server',
  'build worker': '--queues build-',
  signer: '--queues sign',
  Temporal: 'start-dev',
} as const;
export type Part = keyof typeof parts;

/** A `sluice up` whose processes can be killed. */
export interface Stack {
  readonly data: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** kill -9 of one part; the supervisor starts it again. */
  kill(part: Part): Promise<void>;
  /** When the last kill was; milliseconds since the epoch. */
  lastKill(): number;
  /** kill -9 of `up` and all below it. */
  killAll(): Promise<void>;
  sluice(...args: string[]): Promise<string>;
  get: ApiClient['get'];
}

/** @param directory has the `sluice.yaml`, and takes data and log */
export function createStack(directory: string, env: NodeJS.ProcessEnv): Stack {
  const data = join(directory, 'data');
  const config = join(directory, 'sluice.yaml');
  let up: ChildProcess | undefined;
  let lastKill = 0;
  const pid = () => up?.pid ?? assert.fail('there is no stack');
  return {
    data,
    async start() {
      const log = openSync(join(directory, 'up.log'), 'a');
      const stdio = ['ignore', log, log] as const;
      up = spawn(process.execPath, [main, 'up', '--config', config], {
        env: { ...process.env, ...env },
        stdio: [...stdio],
      });
      await until('the stack is ready', () => {
        assert.equal(up?.exitCode, null, `it ended: ${readFileSync(join(directory, 'up.log'), 'utf8')}`);
        const holder = readHolder(data);
        return holder?.pid === pid() ? (holder.stack ?? undefined) : undefined;
      });
    },
    async stop() {
      if (up === undefined || up.exitCode !== null) return;
      up.kill('SIGTERM');
      await once(up, 'exit');
    },
    lastKill: () => lastKill,
    async kill(part) {
      const isPart = (child: number) => commandLine(child).includes(parts[part]);
      process.kill(await until(`a ${part}`, () => childrenOf(pid()).find(isPart)), 'SIGKILL');
      lastKill = Date.now();
    },
    async killAll() {
      const all = [pid(), ...childrenOf(pid())];
      const ended = once(up as ChildProcess, 'exit');
      for (const each of all) sendSignal(each, 'SIGKILL');
      await ended;
      lastKill = Date.now();
    },
    sluice: (...args) => must(process.execPath, [main, ...args, '--config', config]).then(({ stdout }) => stdout),
    get: (path, query) => createClient({ config }).get(path, query),
  };
}

/** Milliseconds until something must have come about, killed processes and all. */
const patience = 1_200_000;

/** Waits until `look` finds something. While it throws, as an API does whose server was killed, it looks again. */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  let fault: unknown;
  for (const deadline = Date.now() + patience; Date.now() < deadline; await sleep(50)) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      fault = error;
    }
  }
  assert.fail(`not so after ${patience / 1000} s: ${what}${fault === undefined ? '' : ` (${fault})`}`);
}

function childrenOf(parent: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function commandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}
