/** The mirrors' machine, as a process of its own: it outlives the story, and ends with the stack that it serves. */
import { setTimeout as pause } from 'node:timers/promises';
import { readHolder } from '../infra/stack/lock.ts';
import { serveMirrors } from './mirrors.ts';

const [root, address, data] = process.argv.slice(2);
if (root === undefined || address === undefined || data === undefined)
  throw new Error('usage: mirror-host ROOT ADDRESS DATA');
const { stop, ...mirrors } = await serveMirrors(root, address);
process.stdout.write(`${JSON.stringify(mirrors)}\n`);

/** Milliseconds until a stack must have come up. */
const patience = 120_000;
const start = performance.now();
const isUp = () => readHolder(data) !== undefined;
while (!isUp() && performance.now() - start < patience) await pause(500);
while (isUp()) await pause(500);
await stop();
