import { type Command, Option } from 'commander';
import type { Change } from '../pipelines/model/change.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { parseLimit, printRecords, sayMore } from './look-back.ts';
import { table } from './output.ts';

interface Options extends ClientOptions {
  readonly status: Change['status'] | 'all';
  readonly project?: string;
  readonly limit: number;
}

/** Adds `change list`. */
export function register(program: Command): void {
  const statuses = ['open', 'merged', 'abandoned', 'all'];
  addClientOptions(
    addCommand(program, 'change list', { examples: ['sluice change list', 'sluice change list --status merged'] }),
  )
    .addOption(new Option('--status <status>', 'which changes').choices(statuses).default('open'))
    .option('--project <name>', 'of this project')
    .option('--limit <number>', 'at most so many, newest first', parseLimit, 50)
    .action(async (options: Options) => {
      const { status, project, limit } = options;
      const query = { project, ...(status === 'all' ? {} : { status }) };
      const { records, more } = await createClient(options).list<Change>('/api/changes', query, limit);
      printRecords(records, render, options);
      if (more && !options.json) sayMore(limit);
    });
}

function render(changes: readonly Change[]): string {
  if (changes.length === 0) return 'There are no such changes.';
  const rows = changes.map(({ key, project, branch, status, votes, subject, wip }) => [
    key,
    project,
    branch,
    wip && status === 'open' ? 'work in progress' : status,
    votes.map(({ label, value }) => `${label} ${value > 0 ? '+' : ''}${value}`).join(', '),
    subject,
  ]);
  return table(['CHANGE', 'PROJECT', 'BRANCH', 'STATUS', 'VOTES', 'SUBJECT'], rows);
}
