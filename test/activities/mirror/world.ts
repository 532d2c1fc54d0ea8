import { type ChildProcess, spawn } from 'node:child_process';
import { cp, lstat, mkdir, readdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { syncMirrors } from '../../../activities/mirror/sync.ts';
import type { MirrorContext, MirrorSet } from '../../../activities/mirror/types.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { freePort } from '../../../infra/stack/ports.ts';
import type { MirrorResult } from '../../../pipelines/mirror/outcome.ts';
import { makePackage, temporary } from '../repository/packages.ts';

/** A private rsync daemon that can be stopped and started again on the same port. */
export interface Daemon {
  readonly url: string;
  readonly root: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface World {
  readonly directory: string;
  readonly source: string;
  readonly context: MirrorContext;
  readonly said: string[];
  /** Adds a package to the source; answers when it is published there. */
  publish(name: string, version: string, files?: Readonly<Record<string, Buffer>>): Promise<void>;
  /** What the source holds now, as a plain directory that anybody may write to. */
  plain(): Promise<string>;
  set(given?: Partial<MirrorSet>): MirrorSet;
  local(name: string): string;
  /** @param program another rsync than the installed one. */
  daemon(name: string, options?: readonly string[], program?: string): Promise<Daemon>;
  /** A directory behind a remote shell that is no ssh, and takes what ssh would take. */
  remote(name: string): Promise<{ readonly url: string; readonly root: string }>;
  /** The same source and hosts seen from another installation. */
  elsewhere(): MirrorContext;
  sync(set: MirrorSet): Promise<MirrorResult>;
  /** Moves the clock on, in seconds. */
  later(seconds: number): void;
}

export async function mirrorWorld(t: TestContext): Promise<World> {
  const directory = await temporary(t);
  const source = join(directory, 'released');
  let clock = Date.parse('2026-03-04T05:06:07Z');
  const said: string[] = [];
  const context: MirrorContext = {
    state: join(directory, 'data/mirrors'),
    now: () => clock,
    log: (line) => said.push(line),
  };
  const defaults = { source, snapshots: 'snapshots', heads: ['stable'], commit: 'all', keep: 61 * 86_400 } as const;
  return {
    directory,
    source,
    context,
    said,
    publish: async (name, version, files) => {
      const file = await makePackage('deb', directory, { name, version, ...(files ? { files } : {}) });
      const settings = { codename: 'bookworm' };
      await publishPackages(repositoryFormats.deb, { dir: source, files: [file], settings, date: new Date() });
    },
    plain: async () => {
      const copy = join(directory, 'plain');
      await rm(copy, { recursive: true, force: true });
      await cp(await realpath(source), copy, { recursive: true, preserveTimestamps: true });
      return copy;
    },
    set: (given = {}) => ({ name: 'deb', ...defaults, init: true, timeout: 60, hosts: {}, ...given }),
    local: (name) => join(directory, name),
    daemon: (name, options = [], program = 'rsync') => startDaemon(t, join(directory, name), { options, program }),
    remote: (name) => standInForSsh(t, join(directory, name)),
    elsewhere: () => ({ ...context, state: join(directory, 'elsewhere/mirrors') }),
    sync: async (set) => {
      clock += 1_000;
      return syncMirrors(set, context);
    },
    later: (seconds) => {
      clock += seconds * 1_000;
    },
  };
}

/** Has the programs in a directory found first until the test has ended. */
export function putAhead(t: TestContext, bin: string): void {
  const before = process.env.PATH;
  process.env.PATH = `${bin}:${before}`;
  t.after(() => {
    process.env.PATH = before;
  });
}

async function standInForSsh(t: TestContext, root: string) {
  const bin = `${root}.bin`;
  await mkdir(bin, { recursive: true });
  // Options and their values, then the host; the rest is a command line for a shell, as sshd takes it.
  const script = ['while [ "$1" = -o ] || [ "$1" = -p ] || [ "$1" = -l ]; do shift 2; done', 'shift'];
  // What the real one is told by its settings.
  const settings = ['#!/bin/sh', '[ "$1" = -G ] && exec /usr/bin/ssh "$@"'];
  await writeFile(join(bin, 'ssh'), [...settings, ...script, 'exec sh -c "$*"', ''].join('\n'), { mode: 0o755 });
  putAhead(t, bin);
  return { url: `ssh://mirror@127.0.0.1${root}`, root };
}

interface DaemonSettings {
  readonly options: readonly string[];
  readonly program: string;
}

async function startDaemon(t: TestContext, root: string, { options, program }: DaemonSettings): Promise<Daemon> {
  await mkdir(root, { recursive: true });
  const port = await freePort();
  const config = `${root}.conf`;
  const lines = ['use chroot = no', 'uid = root', 'gid = root', 'munge symlinks = no', 'read only = no', ...options];
  // A file of its own for each daemon, so that limits on connections are not shared.
  await writeFile(config, `${lines.join('\n')}\nlock file = ${root}.lock\n[mirror]\npath = ${root}\n`);
  let child: ChildProcess | null = null;
  const stop = async () => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once('close', resolve));
    running.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    const args = ['--daemon', '--no-detach', `--port=${port}`, '--address=127.0.0.1', `--config=${config}`];
    const begun = spawn(program, args, { stdio: 'ignore' });
    child = begun;
    while (begun.exitCode === null && !(await answers(port))) await sleep(20);
    if (begun.exitCode !== null) throw new Error(`the rsync daemon ended with ${begun.exitCode}`);
  };
  await start();
  t.after(stop);
  return { url: `rsync://127.0.0.1:${port}/mirror`, root, start, stop };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Text of the head and of the set's own link, and the snapshots there are. */
export async function look(root: string) {
  const read = (path: string) => readlink(join(root, path)).catch(() => null);
  const names = await readdir(join(root, 'snapshots')).catch(() => []);
  return {
    head: await read('stable'),
    latest: await read('snapshots/deb-latest'),
    snapshots: names.filter((name) => /^deb-\d{4}-\d\d-\d\d-\d{6}$/.test(name)).sort(),
    names: names.sort(),
  };
}

/** Every file below a directory with its content and mode: what a byte for byte comparison compares. */
export async function contentOf(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode } = await lstat(path);
    if (entry.isFile()) found[path.slice(root.length)] = `${mode} ${await readFile(path, 'base64')}`;
    if (entry.isSymbolicLink()) found[path.slice(root.length)] = await readlink(path);
  }
  return found;
}
