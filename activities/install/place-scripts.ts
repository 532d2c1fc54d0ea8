import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Node } from '../nodes/packages/node.ts';
import type { Machine } from '../nodes/port.ts';
import {
  changeScript,
  filesScript,
  integrityScript,
  keptScript,
  markScript,
  programsScript,
  readyScript,
  rebootScript,
  trialScript,
} from './inside.ts';

/** Where our scripts are on the node. */
export const scriptDirectory = '/sluice';

/** Where the source tree is on the node: tests are run there. */
export const sourceDirectory = '/sluice/source';

/**
 * Puts the scripts that look at installed packages onto the node.
 *
 * @param root a directory that stands for the node's root: what is in it already goes with them
 */
export async function placeScripts(
  node: Node,
  workdir: string,
  root = join(workdir, `scripts-${node.name}`),
): Promise<void> {
  await writeScripts(root);
  await placeRoot(node, root);
}

/** Writes the scripts into a directory that stands for a node's root. */
export async function writeScripts(root: string): Promise<void> {
  await mkdir(join(root, 'sluice/source'), { recursive: true });
  const looks = { integrity: integrityScript, programs: programsScript, files: filesScript };
  const tests = { trial: trialScript, reboot: rebootScript, mark: markScript };
  const scripts = { ...looks, ...tests, change: changeScript, kept: keptScript };
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(root, 'sluice', name), text);
    await chmod(join(root, 'sluice', name), 0o755);
  }
}

/** Puts what is in such a directory onto the node. */
export async function placeRoot(node: Node, root: string): Promise<void> {
  await node.machine.put(root, '/');
  // A virtual machine has an init system of its own.
  if (node.machine.console !== undefined) return;
  const ready = await node.machine.exec(['/bin/sh', '-c', readyScript], { signal: node.signal });
  if (ready.code !== 0) throw new Error(`${node.name} cannot be made ready: ${ready.output.trim()}`);
}

/** Starts a node anew, and makes it ready again. */
export async function restartNode(node: Node, machine: Pick<Machine, 'restart'>, workdir: string): Promise<void> {
  node.log.write(`${node.name} starts anew\n`);
  await machine.restart(node.signal);
  await placeScripts(node, workdir);
}
