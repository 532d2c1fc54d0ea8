import type { Config } from '../infra/config/load.ts';
import { DirectoryHeld, readHolder, type StackAddresses, untilUnused, useDirectory } from '../infra/stack/lock.ts';
import { PortTaken } from '../infra/stack/ports.ts';
import { type Stack, startStack } from '../infra/stack/stack.ts';
import { type CommandError, misused, unavailable } from './fault.ts';
import { log } from './output.ts';

/** Milliseconds that a command waits for another one on the same data directory. */
const patience = 60_000;

/**
 * Starts a stack for a command.
 *
 * @param wait seconds to wait for another holder of the data directory
 * @throws CommandError that names the holder (3) or the port that is taken (2).
 */
export async function start(config: Config, wait: number): Promise<Stack> {
  try {
    return await startStack(config, { wait, notice: log });
  } catch (error) {
    throw commandError(error) ?? error;
  }
}

/**
 * Runs `work` with the stack that already runs on the configuration's data directory, or with a private one on free
 * ports, which ends once nobody uses it any more.
 *
 * @throws CommandError 3 that names the holder of the data directory, when it has no stack to join within a minute.
 */
export async function withStack<T>(config: Config, work: (stack: StackAddresses) => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + patience; ; ) {
    const running = readHolder(config.data)?.stack;
    if (running) return useOther(config.data, () => work(running));
    const stack = await startUnlessHeld(config, Date.now() < deadline);
    if (stack) return useOwn(stack, config.data, work);
  }
}

/** Undefined when another process holds the directory, which is a fault unless we are `patient`. */
async function startUnlessHeld(config: Config, patient: boolean): Promise<Stack | undefined> {
  try {
    return await startStack(onFreePorts(config), { wait: 1, notice: log });
  } catch (error) {
    if (error instanceof DirectoryHeld && patient) return undefined;
    throw commandError(error) ?? error;
  }
}

async function useOther<T>(data: string, work: () => Promise<T>): Promise<T> {
  const done = await useDirectory(data);
  try {
    return await work();
  } finally {
    done();
  }
}

async function useOwn<T>(stack: Stack, data: string, work: (stack: StackAddresses) => Promise<T>): Promise<T> {
  const stop = () => void stack.stop().finally(() => process.exit(130));
  for (const signal of signals) process.once(signal, stop);
  try {
    return await work(stack);
  } finally {
    await untilUnused(data);
    for (const signal of signals) process.off(signal, stop);
    await stack.stop();
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function onFreePorts(config: Config): Config {
  const { server, temporal } = config;
  return {
    ...config,
    server: { ...server, listen: { ...server.listen, port: 0 } },
    temporal: { ...temporal, port: 0, uiPort: 0 },
  };
}

function commandError(error: unknown): CommandError | undefined {
  if (error instanceof DirectoryHeld) return unavailable(error.message);
  return error instanceof PortTaken ? misused(error.message) : undefined;
}
