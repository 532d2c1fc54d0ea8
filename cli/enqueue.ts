import type { Command } from 'commander';
import type { Acted } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { misused } from './fault.ts';
import { print } from './output.ts';

interface Options extends ClientOptions {
  readonly pipeline: string;
  readonly change?: string;
  readonly project?: string;
  readonly branch?: string;
}

/** Adds `enqueue`. */
export function register(program: Command): void {
  const examples = [
    'sluice enqueue --pipeline gate --change 7',
    'sluice enqueue --pipeline post --project tinycdb --branch main',
  ];
  addClientOptions(addCommand(program, 'enqueue', { examples }))
    .requiredOption('--pipeline <name>', 'the pipeline')
    .option('--change <id>', 'the change')
    .option('--project <name>', 'instead of a change: the project of a branch')
    .option('--branch <name>', 'the branch, as it is now')
    .action(enqueue);
}

async function enqueue({ pipeline, change, project, branch, ...options }: Options): Promise<void> {
  const client = createClient(options);
  const done = await client.post<Acted>('/api/enqueue', { pipeline, ...subject({ change, project, branch }) });
  print(done, () => `${change ?? `${project} ${branch}`} is on its way into ${pipeline}`, options);
}

function subject({ change, project, branch }: Partial<Record<'change' | 'project' | 'branch', string | undefined>>) {
  if (change !== undefined && project === undefined && branch === undefined) return { change };
  if (change === undefined && project !== undefined && branch !== undefined) return { project, branch };
  throw misused('name either --change, or --project and --branch');
}
