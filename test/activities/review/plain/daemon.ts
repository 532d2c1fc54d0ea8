import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../../infra/stack/ports.ts';
import { answers } from '../../mirror/sshd.ts';

/** Git's own daemon on this machine. */
export interface GitDaemon {
  /** `git://HOST:PORT` of the directory. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves the repositories below `root` to everybody by Git's own protocol. @param push whether they may push, too */
export async function startGitDaemon(t: TestContext, root: string, { push = true } = {}): Promise<GitDaemon> {
  const port = await freePort();
  const options = ['--export-all', '--reuseaddr', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${root}`];
  const argv = ['daemon', ...options, `--${push ? 'enable' : 'disable'}=receive-pack`];
  // `git` starts the daemon as a child: both are ended by their group.
  const child = spawn('git', argv, { stdio: 'ignore', detached: true });
  const ended = once(child, 'close');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
    await ended;
  };
  t.after(stop);
  while (child.exitCode === null && !(await answers(port))) await sleep(20);
  if (child.exitCode !== null) throw new Error(`git daemon ended with ${child.exitCode}`);
  return { url: `git://127.0.0.1:${port}`, stop };
}
