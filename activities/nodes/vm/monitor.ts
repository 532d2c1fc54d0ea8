import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Spot } from './hosts/port.ts';

/** Speaks to an emulator about its machine. */
export interface Monitor {
  /** @throws what the emulator answers when it refuses, or the loss of the connection */
  ask<T>(command: string, args?: Readonly<Record<string, unknown>>): Promise<T>;
}

/** Milliseconds for an answer: none of the commands that are used here works before it answers. */
const patience = 60_000;

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** Speaks to the emulator that runs in a directory. @throws when none does */
export async function withMonitor<T>({ host, directory }: Spot, work: (monitor: Monitor) => Promise<T>): Promise<T> {
  const socket = await host.connect(directory, 'qmp');
  try {
    const monitor = createMonitor(socket);
    await monitor.ask('qmp_capabilities');
    return await work(monitor);
  } finally {
    socket.destroy();
  }
}

function createMonitor(socket: Duplex): Monitor {
  const waiting: ((answer: Answer) => void)[] = [];
  const lost = new Promise<never>((_, reject) => {
    const gone = () => reject(new Error('the emulator has ended'));
    socket.once('close', gone);
    if (socket.destroyed) gone();
  });
  lost.catch(() => {});
  const lines = createInterface(socket);
  lines.on('error', () => {});
  lines.on('line', (line) => {
    const message = JSON.parse(line) as Answer;
    // What is neither is an event, or the greeting.
    if ('return' in message || 'error' in message) waiting.shift()?.(message);
  });
  return {
    async ask<T>(command: string, args?: Readonly<Record<string, unknown>>) {
      const answer = new Promise<Answer>((resolve) => waiting.push(resolve));
      socket.write(`${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }) })}\n`);
      const timer = new AbortController();
      const late = sleep(patience, undefined, { signal: timer.signal }).then(() => {
        throw new Error(`the emulator does not answer ${command}`);
      });
      late.catch(() => {});
      const { return: value, error } = await Promise.race([answer, lost, late]).finally(() => timer.abort());
      if (error !== undefined) throw new Error(`${command}: ${error.desc}`);
      return value as T;
    },
  };
}
