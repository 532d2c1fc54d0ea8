import { type Command, Option } from 'commander';
import type { Change } from '../pipelines/model/change.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { printRecords } from './look-back.ts';
import { table } from './output.ts';

interface Options extends ClientOptions {
  readonly status: Change['status'] | 'all';
}

/** Adds `change list`. */
export function register(program: Command): void {
  const statuses = ['open', 'merged', 'abandoned', 'all'];
  addClientOptions(
    addCommand(program, 'change list', { examples: ['sluice change list', 'sluice change list --status merged'] }),
  )
    .addOption(new Option('--status <status>', 'which changes').choices(statuses).default('open'))
    .action(async (options: Options) => {
      const query = options.status === 'all' ? {} : { status: options.status };
      const changes = await createClient(options).get<Change[]>('/api/changes', query);
      printRecords(changes, render, options);
    });
}

function render(changes: readonly Change[]): string {
  if (changes.length === 0) return 'There are no such changes.';
  const rows = changes.map(({ key, project, branch, status, votes, subject }) => [
    key,
    project,
    branch,
    status,
    votes.map(({ label, value }) => `${label} ${value > 0 ? '+' : ''}${value}`).join(', '),
    subject,
  ]);
  return table(['CHANGE', 'PROJECT', 'BRANCH', 'STATUS', 'VOTES', 'SUBJECT'], rows);
}
