import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { readHolder } from '../infra/stack/lock.ts';

/**
 * Starts a program that outlives the story and ends with the stack.
 *
 * @param log where its errors go
 * @returns what it says in its first line, as JSON
 */
export async function startCompanion(program: readonly string[], log: string): Promise<unknown> {
  const stdio = ['ignore', 'pipe', openSync(log, 'a')] as const;
  const child = spawn(process.execPath, program, { detached: true, stdio: [...stdio] });
  const said = child.stdout as Readable;
  const [line] = await Promise.race([
    once(createInterface(said), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${program[0]} does not start: see ${log}`))),
  ]);
  said.destroy();
  child.unref();
  return JSON.parse(line as string);
}

/** Milliseconds until a stack must have come up. */
const patience = 120_000;

/** Waits for the end of the stack that keeps its data there, or for none to come. */
export async function untilDown(data: string): Promise<void> {
  const start = performance.now();
  const isUp = () => readHolder(data) !== undefined;
  while (!isUp() && performance.now() - start < patience) await pause(500);
  while (isUp()) await pause(500);
}
