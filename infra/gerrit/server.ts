import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GerritSite } from './config.ts';
import { type GerritTools, javaArguments } from './tools.ts';

/** Milliseconds that a Gerrit which was told to end has for it: its Java may not come to an end. */
const ending = 60_000;

export interface GerritServer {
  readonly pid: number;
  /** Ends it: politely, in a second or two, or at once as a crash would. */
  stop(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Milliseconds that a start may take on a machine that others keep busy; usually it is three seconds. */
const patience = 180_000;

/**
 * Starts the server of a site, and waits until it answers.
 *
 * @param options more arguments of Java
 * @throws with the end of its log when it does not come up
 */
export async function startGerrit(
  tools: GerritTools,
  { directory }: GerritSite,
  options: readonly string[] = [],
): Promise<GerritServer> {
  const id = randomUUID();
  const args = [...options, ...javaArguments(tools, 'Daemon', ['--headless', '-d', directory, '--run-id', id])];
  const child = spawn(join(tools.java, 'java'), args, { stdio: 'ignore', env: { ...process.env, HOME: directory } });
  const ended = once(child, 'exit').catch(() => {});
  await untilReady(child, directory, id);
  return {
    pid: child.pid ?? 0,
    async stop(how = 'SIGTERM') {
      child.kill(how);
      const timer = setTimeout(() => child.kill('SIGKILL'), ending);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** It writes its run's id to a file once it listens. */
async function untilReady(child: ChildProcess, directory: string, id: string): Promise<void> {
  for (const deadline = Date.now() + patience; ; await sleep(50)) {
    const ready = await readFile(join(directory, 'logs', 'gerrit.run'), 'utf8').catch(() => '');
    if (ready.trim() === id) return;
    if (child.exitCode === null && child.signalCode === null && Date.now() < deadline) continue;
    child.kill('SIGKILL');
    const log = await readFile(join(directory, 'logs', 'error_log'), 'utf8').catch(() => 'it wrote no log');
    throw new Error(`Gerrit does not start in ${directory}:\n${log.split('\n').slice(-30).join('\n')}`);
  }
}
