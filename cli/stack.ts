import type { Config } from '../infra/config/load.ts';
import { DirectoryHeld } from '../infra/stack/lock.ts';
import { PortTaken } from '../infra/stack/ports.ts';
import { type Stack, startStack } from '../infra/stack/stack.ts';
import { type CommandError, misused, unavailable } from './fault.ts';
import { log } from './output.ts';

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

function commandError(error: unknown): CommandError | undefined {
  if (error instanceof DirectoryHeld) return unavailable(error.message);
  return error instanceof PortTaken ? misused(error.message) : undefined;
}
