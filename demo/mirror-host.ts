/** The mirrors' machine, as a process of its own: it outlives the story, and ends with the stack that it serves. */
import { untilDown } from './companion.ts';
import { serveMirrors } from './mirrors.ts';

const [root, address, data] = process.argv.slice(2);
if (root === undefined || address === undefined || data === undefined)
  throw new Error('usage: mirror-host ROOT ADDRESS DATA');
const { stop, ...mirrors } = await serveMirrors(root, address);
process.stdout.write(`${JSON.stringify(mirrors)}\n`);
await untilDown(data);
await stop();
