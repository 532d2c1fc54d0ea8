import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { addClientOptions, type ClientOptions } from './client.ts';

/** What `builds` and `buildsets` can be narrowed by. */
export interface LookBackOptions extends ClientOptions {
  readonly pipeline?: string;
  readonly project?: string;
  readonly change?: string;
  readonly result?: string;
  readonly job?: string;
  readonly limit: number;
}

export function addFilters(command: Command): Command {
  return addClientOptions(command)
    .option('--pipeline <name>', 'of this pipeline')
    .option('--project <name>', 'of this project')
    .option('--change <id>', 'of this change')
    .option('--result <result>', 'with this result: SUCCESS, FAILURE, …')
    .option('--limit <number>', 'at most so many, newest first', parseLimit, 20);
}

/** The query of the options that were given. */
export function filterOf({ pipeline, project, change, result, job, limit }: LookBackOptions) {
  return { pipeline, project, change, result, job, limit };
}

/** A time as lists show it. */
export function when(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500)
    throw new InvalidArgumentError('Give a number from 1 to 500.');
  return limit;
}
