import type { Config } from '../infra/config/load.ts';
import { DirectoryUnusable } from '../infra/stack/directory.ts';
import { DirectoryHeld } from '../infra/stack/lock.ts';
import { PortTaken } from '../infra/stack/ports.ts';
import { Misconfigured } from '../infra/stack/process.ts';
import { type Stack, startStack } from '../infra/stack/stack.ts';
import { misused, unavailable } from './fault.ts';
import { log } from './output.ts';

/**
 * Starts a stack for a command.
 *
 * @param started hears of each process that does its work now
 * @throws CommandError that names the data directory's other holder (3), or why it cannot be had, the port that is
 * taken, or what a process finds wrong with its configuration (2).
 */
export async function start(config: Config, started?: (process: string) => void): Promise<Stack> {
  try {
    return await startStack(config, { wait: 0, notice: log, started });
  } catch (error) {
    if (error instanceof DirectoryHeld) throw unavailable(error.message);
    const wrong = [PortTaken, DirectoryUnusable, Misconfigured].some((kind) => error instanceof kind);
    if (wrong) throw misused((error as Error).message);
    throw error;
  }
}
