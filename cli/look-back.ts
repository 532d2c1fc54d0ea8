import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { moment } from '../web/time.ts';
import { type ApiClient, addClientOptions, type ClientOptions, createClient } from './client.ts';
import { failed } from './fault.ts';
import { log, print } from './output.ts';

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

/** Prints a list of the API, and says when there is more of it. */
export async function printList<T>(
  path: string,
  render: (records: readonly T[]) => string,
  options: LookBackOptions,
): Promise<void> {
  const client = createClient(options);
  await requireBuildSet(client, path, options);
  const { limit, ...query } = filterOf(options);
  const { records, more } = await client.list<T>(path, query, limit);
  printRecords(records, render, options);
  if (more && !options.json) sayMore(limit);
}

/** Says that a list goes on. */
export function sayMore(limit: number): void {
  log(`These are the newest ${limit}: --limit ${limit * 5} shows more.`);
}

/** The query of the options that were given. */
function filterOf({ pipeline, project, change, result, job, buildset, limit }: LookBackOptions) {
  return { pipeline, project, change, result, job, buildSet: buildset, limit };
}

/** @throws when the options name a build set that is not there. */
async function requireBuildSet(client: ApiClient, path: string, { buildset }: LookBackOptions): Promise<void> {
  if (buildset === undefined) return;
  // Builds of the test service, and those by hand, are of build sets that have no record.
  for (const place of new Set(['/api/buildsets', path])) {
    const found = await client.get<readonly unknown[]>(place, { buildSet: buildset, limit: 1 });
    if (found.length > 0) return;
  }
  throw failed(`there is no build set ${buildset}: see \`sluice buildsets\``);
}

/** A time as lists show it: UTC, as the page has it in its titles. */
export const when = moment;

/** A number of records: longer lists are asked for page by page. */
export function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000_000)
    throw new InvalidArgumentError('Give a number from 1 to 1000000.');
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
