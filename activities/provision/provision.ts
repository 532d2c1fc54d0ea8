import { randomBytes } from 'node:crypto';
import { isPlaybook } from '../../pipelines/model/job.ts';
import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import { nodeOn } from '../nodes/packages/managers.ts';
import type { Node } from '../nodes/packages/node.ts';
import type { LeaseRequest, Machine, Provider } from '../nodes/port.ts';
import { withLease } from '../nodes/with-lease.ts';
import { controlLabel } from '../playbooks/control.ts';
import { play, startControl } from '../playbooks/play.ts';
import { addPython } from '../playbooks/python.ts';

/** Where the directory is on the machine; it does not stay. */
const place = '/sluice/provision';
/** What the machine is called in inventories. */
const nodeName = 'machine';
/** Characters of what a program has printed that are told. */
const told = 2_000;

export interface ProvisionDeps {
  readonly platform: (label: string) => Platform;
  /** Label of the container that runs playbooks. */
  readonly defaultLabel: string;
  /** Lends it. */
  readonly provider: Provider;
}

/** A machine that is being prepared, and reaches the archives. */
export interface ProvisionRun extends Pick<LeaseRequest, 'holder'> {
  readonly platform: Platform;
  readonly machine: Machine;
  readonly signal: AbortSignal;
  /** Hears each line that is printed. */
  readonly tell: (line: string) => void;
}

/**
 * Runs what a platform has run in its machines before they are saved: one after the other, as root.
 *
 * @throws an error that names the first that failed, with the end of what it printed
 */
export async function provision(deps: ProvisionDeps, of: ProvisionRun): Promise<void> {
  const { machine, platform, signal, tell } = of;
  if (platform.provision === undefined) return;
  const { directory, run, timeout } = platform.provision;
  await machine.put(directory, place);
  for (const path of run) {
    tell(`provisioning: ${path}`);
    const program = { path, directory, timeout: timeout * 1000 };
    const { fault, output } = await (isPlaybook(program) ? runPlaybook(deps, of, program) : runScript(of, program));
    if (fault !== null) throw failed(fault, output);
  }
  await machine.exec(['rm', '-rf', place], { signal });
}

interface Program {
  readonly path: string;
  readonly directory: string;
  /** Milliseconds. */
  readonly timeout: number;
}

interface Ended {
  /** Why it did not end well. */
  readonly fault: string | null;
  readonly output: string;
}

async function runScript(of: ProvisionRun, { path, timeout }: Program): Promise<Ended> {
  const { machine, manager, log, signal } = nodeOf(of);
  const options = { cwd: place, env: manager.environment, log, signal, timeout };
  const { code, output, timedOut } = await machine.exec([`${place}/${path}`], options);
  if (timedOut) return { fault: `${path} was not done in ${timeout / 1000} s`, output };
  return { fault: code === 0 ? null : `${path} ended with ${code}`, output };
}

/** In a container that reaches the machine by this process. */
async function runPlaybook(deps: ProvisionDeps, of: ProvisionRun, program: Program): Promise<Ended> {
  const { platform, machine, signal, holder } = of;
  const { path: playbook, directory: tree, timeout } = program;
  await addPython(nodeOf(of), timeout);
  const about = { label: platform.name, provider: providerOf(platform), address: nodeName, user: 'root' };
  const nodes = [{ name: nodeName, machine, ...about }];
  // Other hosts and installations may do the same on this engine now. What a killed one leaves goes as its holder ends.
  const build = `provision-${platform.name.replace(/[^A-Za-z0-9_.-]+/g, '-')}-${randomBytes(8).toString('hex')}`;
  return withLease(deps.provider, { build, ...(holder !== undefined && { holder }) }, async (lease) => {
    const control = await startControl(lease, deps.platform(controlLabel(platform, deps.defaultLabel)));
    const { log } = nodeOf(of);
    return play({ control, nodes, groups: [], vars: {}, tree, playbook, cwd: place, timeout, log, signal });
  });
}

/** What is printed is told, and kept nowhere. */
function nodeOf({ platform, machine, signal, tell }: ProvisionRun): Node {
  const write = (text: string) => text.trimEnd().split('\n').forEach(tell);
  const close = () => Promise.reject(new Error('what provisioning prints is not kept'));
  return nodeOn(machine, { name: nodeName, platform, signal, log: { write, section: tell, close } });
}

function failed(what: string, output: string): Error {
  const words = output.trim().slice(-told);
  return new Error(`provisioning: ${what}${words === '' ? '' : `; the end of what it printed:\n${words}`}`);
}
