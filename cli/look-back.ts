import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { moment } from '../web/time.ts';
import { type ApiClient, addClientOptions, type ClientOptions } from './client.ts';
import { failed } from './fault.ts';
import { print } from './output.ts';

/** What `builds` and `buildsets` can be narrowed by. */
export interface LookBackOptions extends ClientOptions {
  readonly pipeline?: string;
  readonly project?: string;
  readonly change?: string;
  readonly result?: string;
  readonly job?: string;
  readonly buildset?: string;
  readonly limit: number;
}

export function addFilters(command: Command): Command {
  return addClientOptions(command)
    .option('--pipeline <name>', 'of this pipeline')
    .option('--project <name>', 'of this project')
    .option('--change <id>', 'of this change')
    .option('--buildset <id>', 'of this build set: BUILDSET of `sluice buildsets`')
    .option('--result <result>', 'with this result: SUCCESS, FAILURE, …')
    .option('--limit <number>', 'at most so many, newest first', parseLimit, 20);
}

/** The query of the options that were given. */
export function filterOf({ pipeline, project, change, result, job, buildset, limit }: LookBackOptions) {
  return { pipeline, project, change, result, job, buildSet: buildset, limit };
}

/** @throws when the options name a build set that is not there. */
export async function requireBuildSet(client: ApiClient, { buildset }: LookBackOptions): Promise<void> {
  if (buildset === undefined) return;
  const found = await client.get<readonly unknown[]>('/api/buildsets', { buildSet: buildset, limit: 1 });
  if (found.length === 0) throw failed(`there is no build set ${buildset}: see \`sluice buildsets\``);
}

/** A time as lists show it: UTC, as the page has it in its titles. */
export const when = moment;

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500)
    throw new InvalidArgumentError('Give a number from 1 to 500.');
  return limit;
}

/** Keys of records that hold a moment in milliseconds. */
const moments = new Set(['time', 'startTime', 'endTime', 'enqueueTime']);

/** Prints records of the API; with `--json` their times are in ISO 8601. */
export function printRecords<T>(data: T, render: (data: T) => string, options: ClientOptions): void {
  if (options.json) print(withIsoTimes(data), () => '', options);
  else print(data, render, options);
}

function withIsoTimes(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(withIsoTimes);
  if (typeof data !== 'object' || data === null) return data;
  const entries = Object.entries(data).map(([key, value]) => {
    const isTime = moments.has(key) && typeof value === 'number';
    return [key, isTime ? new Date(value).toISOString() : withIsoTimes(value)] as const;
  });
  return Object.fromEntries(entries);
}
