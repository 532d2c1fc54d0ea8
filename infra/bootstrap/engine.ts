import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asRoot, runInTerminal } from '../../activities/process/in-terminal.ts';
import { must } from '../../activities/process/run.ts';
import { checkout, findProgram } from './find.ts';
import type { Step } from './step.ts';

const socket = '/var/run/docker.sock';
const pidFile = '/var/run/docker.pid';

export type EngineState = 'answers' | 'forbidden' | 'away';

/**
 * Asks the container engine that `DOCKER_HOST` names, or the local one, whether it is there. An engine on another
 * machine is taken to answer: its faults show when it is used.
 */
export function askEngine(env: NodeJS.ProcessEnv = process.env): Promise<EngineState> {
  const host = env.DOCKER_HOST;
  if (host !== undefined && !host.startsWith('unix://')) return Promise.resolve('answers');
  return new Promise((resolve) => {
    const socketPath = host?.slice('unix://'.length) ?? socket;
    const asked = request({ socketPath, path: '/_ping', timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 'answers' : 'away');
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EACCES' ? 'forbidden' : 'away'));
    asked.end();
  });
}

/**
 * A container engine that answers. One that is started here is left running for the next command, with its log and
 * process id in `.tools/engine/`: it serves every data directory, and `stopEngine` ends it.
 */
export function containerEngine(): Step {
  return {
    name: 'container engine',
    why: 'builds and tests run in throw-away containers',
    async check() {
      const state = await askEngine();
      if (state === 'answers') return [];
      const mend = state === 'forbidden' ? `sudo usermod -aG docker ${process.env.USER ?? '$USER'}` : 'sudo dockerd &';
      return [{ missing: `container engine (${state})`, part: 'containers', mend }];
    },
    async act(_, report) {
      if ((await askEngine()) === 'away') {
        report('starting dockerd');
        await startEngine(report);
      }
      if ((await askEngine()) === 'forbidden') await joinGroup(report);
    },
  };
}

/** Lets us use an engine that belongs to a group. Only a process that starts after that is a member: we begin anew. */
async function joinGroup(report: (line: string) => void): Promise<void> {
  if (process.env.SLUICE_ENGINE_GROUP !== undefined) throw new Error(`no permission for ${socket}`);
  const { username } = userInfo();
  const group = (await must('stat', ['-c', '%G', socket])).stdout.trim();
  report(`adding ${username} to the group ${group}`);
  await runInTerminal([...asRoot(), 'usermod', '--append', '--groups', group, username], report);
  process.execve?.('/bin/bash', ['bash', join(checkout, 'sluice'), ...process.argv.slice(2)], process.env);
}

interface StartedEngine {
  readonly pid: number;
}

const directory = join(checkout, '.tools', 'engine');
const record = join(directory, 'engine.json');

async function startEngine(report: (line: string) => void): Promise<void> {
  const program = findProgram('dockerd');
  if (program === undefined) throw new Error('there is no dockerd');
  mkdirSync(directory, { recursive: true });
  await clearTheWay(report);
  const log = join(directory, 'dockerd.log');
  // It outlives this command: a session of its own, and nothing of ours kept open.
  const detached = ['setsid', '--fork', 'sh', '-c', 'exec "$1" >>"$2" 2>&1', 'sh', program, log];
  await runInTerminal([...asRoot(), ...detached], report);
  if (!(await untilItAnswers())) throw new Error(`dockerd does not come up: see ${log}`);
  const started: StartedEngine = { pid: Number(readFileSync(pidFile, 'utf8')) };
  writeFileSync(record, JSON.stringify(started));
}

/** An engine that is ending is waited for; the record of one that was killed is removed, whoever has its number now. */
async function clearTheWay(report: (line: string) => void): Promise<void> {
  for (const deadline = Date.now() + 20_000; existsSync(pidFile) && Date.now() < deadline; await sleep(100)) {
    if (isDockerd(Number(readFileSync(pidFile, 'utf8')))) continue;
    await runInTerminal([...asRoot(), 'rm', '-f', pidFile], report);
  }
}

async function untilItAnswers(): Promise<boolean> {
  const deadline = Date.now() + 30_000;
  let seen = false;
  while (Date.now() < deadline) {
    if ((await askEngine()) !== 'away') return true;
    const running = existsSync(pidFile) && isDockerd(Number(readFileSync(pidFile, 'utf8')));
    if (seen && !running) return false;
    seen ||= running;
    await sleep(100);
  }
  return false;
}

/** Ends the engine that was started from this checkout, if any. @returns whether there was one. */
export async function stopEngine(): Promise<boolean> {
  if (!existsSync(record)) return false;
  const { pid } = JSON.parse(readFileSync(record, 'utf8')) as StartedEngine;
  const there = isDockerd(pid);
  if (there) await runInTerminal([...asRoot(), 'kill', String(pid)], () => {});
  const deadline = Date.now() + 15_000;
  while (isDockerd(pid) && Date.now() < deadline) await sleep(100);
  rmSync(record);
  return there;
}

/** A process id is given to another program some day. */
function isDockerd(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('dockerd');
  } catch {
    return false;
  }
}
