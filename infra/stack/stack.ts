import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { hostArch } from '../../activities/host-arch.ts';
import { publicKeyFile } from '../../activities/repository/port.ts';
import { markReleased } from '../../activities/repository/released.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { checkout, findProgram, findTemporal } from '../bootstrap/find.ts';
import type { Config } from '../config/load.ts';
import { devServerArguments } from '../temporal/dev-server-arguments.ts';
import { endAgents } from './agents.ts';
import { type DirectoryLock, lockDirectory, type StackAddresses } from './lock.ts';
import { dataPaths } from './paths.ts';
import { choosePort, untilListening } from './ports.ts';
import { type ProcessSpec, type Supervised, type Supervision, supervise } from './process.ts';
import { httpUrl, type StackConfig, stackEnvironment } from './settings.ts';
import { asSigner, prepareSigner, withoutKeySecrets } from './signer.ts';

const loopback = '127.0.0.1';

export interface StackOptions {
  /** Seconds to wait for another holder of the data directory. */
  readonly wait: number;
  readonly notice: (line: string) => void;
  /** Hears of each process that does its work now. */
  readonly started?: ((process: string) => void) | undefined;
}

/** Everything on one machine: Temporal, server, build worker, signer. */
export interface Stack extends StackAddresses {
  readonly processes: readonly Supervised[];
  /** Ends all in order; what goes on is taken up by the next stack on the same directory. */
  stop(): Promise<void>;
}

/**
 * Starts a stack on the configuration's data directory, and waits until it is ready.
 *
 * @throws DirectoryHeld, DirectoryUnusable, PortTaken, or an Error that names the log of the process that does not start.
 */
export async function startStack(config: Config, options: StackOptions): Promise<Stack> {
  const lock = await lockDirectory(config.data, options.wait);
  const processes: Supervised[] = [];
  try {
    const settled = await settle(config);
    const supervision = { logs: join(config.data, 'log'), lock: lock.fd, notice: options.notice };
    return await startProcesses(settled, { lock, processes, supervision, started: options.started });
  } catch (error) {
    await stopAll(processes);
    await endAgents(config.data);
    lock.release();
    throw error;
  }
}

interface Starting {
  readonly lock: DirectoryLock;
  readonly processes: Supervised[];
  readonly supervision: Supervision;
  readonly started: StackOptions['started'];
}

async function startProcesses(config: StackConfig, starting: Starting): Promise<Stack> {
  const { lock, processes, supervision, started } = starting;
  const paths = dataPaths(config.data);
  prepareSigner(paths);
  await markReleased(paths.released, join(paths.publicKeys, publicKeyFile));
  // All at once: each waits by itself for what it needs.
  for (const spec of specs(config)) processes.push(supervise(spec, supervision));
  await Promise.all(processes.map(({ name, ready }) => ready.then(() => started?.(name))));
  const addresses: StackAddresses = {
    url: config.server.url,
    temporal: config.temporal.address,
    namespace: config.temporal.namespace,
    temporalUi: config.temporal.uiUrl,
  };
  lock.publish(addresses);
  const stop = async () => {
    lock.publish(null);
    await stopAll(processes);
    await endAgents(config.data);
    lock.release();
  };
  return { ...addresses, processes, stop };
}

/** Workers first: what they still do may need the others. */
async function stopAll(processes: readonly Supervised[]): Promise<void> {
  const workers = processes.filter(({ name }) => name.endsWith('worker') || name === 'signer');
  await Promise.all(workers.map((each) => each.stop()));
  for (const each of processes.filter((other) => !workers.includes(other)).reverse()) await each.stop();
}

/** Chooses the ports, and fills in every address. */
async function settle(config: Config): Promise<StackConfig> {
  const { host, port: wanted } = config.server.listen;
  const port = await choosePort(host, wanted, 'server.listen');
  const server = { ...config.server, listen: { host, port }, url: config.server.url ?? httpUrl(host, port) };
  const { address, port: frontend, uiPort } = config.temporal;
  const ports = address === undefined ? await chooseOwnPorts(config) : { port: frontend, uiPort };
  const temporal = {
    ...config.temporal,
    ...ports,
    address: address ?? `${loopback}:${ports.port}`,
    uiUrl: config.temporal.uiUrl ?? httpUrl(loopback, ports.uiPort),
  };
  return { ...config, server, temporal, asRead: { server: config.server, temporal: config.temporal } };
}

async function chooseOwnPorts({ temporal }: Config): Promise<{ readonly port: number; readonly uiPort: number }> {
  const port = await choosePort(loopback, temporal.port, 'temporal.port');
  return { port, uiPort: await choosePort(loopback, temporal.uiPort, 'temporal.uiPort') };
}

/** The processes, and what each sees of our environment. */
export function specs(config: StackConfig): ProcessSpec[] {
  const { address, port, tls, apiKey } = config.temporal;
  const own = address === `${loopback}:${port}` && tls === undefined && apiKey === undefined;
  const env = stackEnvironment(config);
  const part = (...args: readonly string[]) => [process.execPath, join(checkout, 'cli', 'main.ts'), ...args];
  const signer = part('worker', '--queues', taskQueues.sign);
  const jobs = part('worker', '--queues', taskQueues.build(hostArch()));
  const common = {
    env: { ...env, ...withoutKeySecrets(config.release.keys.sign) },
    ready: 'announced',
    grace: 15_000,
  } as const;
  return [
    ...(own ? [temporalServer(config)] : []),
    { name: 'server', command: part('server'), ...common },
    ...(config.workers.build > 0 ? [{ name: 'build-worker', command: jobs, ...common }] : []),
    { name: 'signer', command: asSigner(signer, config.data), ...common, env },
  ];
}

/** It ends when its parent does, however that ended: the others notice by themselves. */
function temporalServer({ data, temporal, release }: StackConfig): ProcessSpec {
  const program = findTemporal();
  if (program === undefined) throw new Error('there is no Temporal server: ./sluice doctor --mend');
  const directory = join(data, 'temporal');
  mkdirSync(directory, { recursive: true });
  const { port, uiPort, durability, namespace } = temporal;
  const args = devServerArguments({ database: join(directory, 'temporal.db'), port, uiPort, durability });
  const setpriv = findProgram('setpriv');
  const tied = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'TERM', '--'];
  return {
    name: 'temporal',
    command: [...tied, program, ...args, ...(namespace === 'default' ? [] : ['--namespace', namespace])],
    env: withoutKeySecrets(release.keys.sign),
    ready: () => untilUp(port),
    grace: 10_000,
  };
}

async function untilUp(port: number): Promise<void> {
  if (!(await untilListening(loopback, port, { patience: 20_000 })))
    throw new Error('the Temporal server does not come up');
}
