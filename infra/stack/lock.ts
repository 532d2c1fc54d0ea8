import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { writeWholeSync } from '../../activities/files/write.ts';
import { begunAt } from '../../activities/process/begun.ts';
import { makeDataDirectory, unusable } from './directory.ts';

/** Who has a data directory, and where its stack answers. */
export interface Holder {
  readonly pid: number;
  /** The command that holds it, for people. */
  readonly command: string;
  /** Null until the stack is ready. */
  readonly stack: StackAddresses | null;
  /** When the process began, in clock ticks since the boot: another one has its number later. */
  readonly begun?: number | undefined;
}

export interface StackAddresses {
  readonly url: string;
  /** `HOST:PORT` of Temporal. */
  readonly temporal: string;
  readonly namespace: string;
  readonly temporalUi: string;
}

export interface DirectoryLock {
  /** The open lock file: a child that inherits it keeps the lock for as long as it lives. */
  readonly fd: number;
  publish(stack: StackAddresses | null): void;
  release(): void;
}

/** Another process has the data directory. */
export class DirectoryHeld extends Error {
  readonly holder: Holder | undefined;

  constructor(data: string, holder: Holder | undefined) {
    const who = holder ? `"${holder.command}" (process ${holder.pid})` : 'another process';
    const where = holder?.stack ? `, at ${holder.stack.url}` : '';
    super(`the data directory ${data} is held by ${who}${where}`);
    this.name = 'DirectoryHeld';
    this.holder = holder;
  }
}

/** Seconds that the processes of a killed holder may take to end. */
const leftovers = 30;

/**
 * Takes the data directory for this process and for the children that inherit the lock. The kernel lets go of it when
 * the last of them is gone, however they ended.
 *
 * @param wait seconds to wait for another holder
 * @param waiting is called where it cannot be had at once
 * @throws DirectoryHeld when it cannot be had in time; DirectoryUnusable when it can never be
 */
export async function lockDirectory(data: string, wait: number, waiting = () => {}): Promise<DirectoryLock> {
  makeDataDirectory(data);
  const fd = openLock(data);
  const publish = (stack: StackAddresses | null) =>
    writeHolder(data, { pid: process.pid, begun: begunAt(process.pid), command: commandLine(), stack });
  try {
    const patience = () => (readHolder(data) === undefined ? Math.max(wait, leftovers) : wait);
    if (!(await flock(data, fd, 0))) {
      waiting();
      if (!(await flock(data, fd, patience()))) throw new DirectoryHeld(data, readHolder(data));
    }
    publish(null);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const release = () => {
    rmSync(join(data, 'holder.json'), { force: true });
    closeSync(fd);
  };
  return { fd, publish, release };
}

function openLock(data: string): number {
  try {
    return openSync(join(data, 'lock'), 'a');
  } catch (error) {
    throw unusable(data, 'written to', error);
  }
}

/** Who holds the directory, as far as it says so; undefined when nobody does, or when the holder is gone. */
export function readHolder(data: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(join(data, 'holder.json'), 'utf8')) as Holder;
    const begun = begunAt(holder.pid);
    return begun !== undefined && begun === (holder.begun ?? begun) ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * `flock` locks the open file that it inherits; the lock stays with that file, and so with us.
 *
 * @returns false when another had it all the while
 */
async function flock(data: string, fd: number, wait: number): Promise<boolean> {
  const args = ['--exclusive', '--timeout', String(wait), '3'];
  const child = spawn('flock', args, { stdio: ['ignore', 'ignore', 'pipe', fd] });
  const said = child.stderr === null ? Promise.resolve('') : text(child.stderr);
  const [code] = await once(child, 'close');
  if (code !== 0 && code !== 1) throw unusable(data, 'locked', new Error((await said).trim() || `flock: ${code}`));
  return code === 0;
}

function writeHolder(data: string, holder: Holder): void {
  writeWholeSync(join(data, 'holder.json'), JSON.stringify(holder));
}

function commandLine(): string {
  return ['sluice', ...process.argv.slice(2)].join(' ');
}
