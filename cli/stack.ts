import type { Config } from '../infra/config/load.ts';
import { DirectoryUnusable } from '../infra/stack/directory.ts';
import { DirectoryHeld } from '../infra/stack/lock.ts';
import { PortTaken } from '../infra/stack/ports.ts';
import { type Stack, startStack } from '../infra/stack/stack.ts';
import { misused, unavailable } from './fault.ts';
import { log } from './output.ts';

/**
 * Starts a stack for a command.
 *
 * @param started hears of each process that does its work now
 * @throws CommandError that names the data directory's other holder (3), or why it cannot be had or the port that is taken (2).
 */
export async function start(config: Config, started?: (process: string) => void): Promise<Stack> {
  try {
    return await startStack(config, { wait: 0, notice: log, started });
  } catch (error) {
    if (error instanceof DirectoryHeld) throw unavailable(error.message);
    if (error instanceof PortTaken || error instanceof DirectoryUnusable) throw misused(error.message);
    throw error;
  }
}
