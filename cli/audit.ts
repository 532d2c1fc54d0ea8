import type { Command } from 'commander';
import { actText } from '../pipelines/report/acts.ts';
import type { Act } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { parseLimit, printRecords, sayMore, when } from './look-back.ts';
import { type Paint, paint, table } from './output.ts';

interface Options extends ClientOptions {
  readonly by?: string;
  readonly operation?: string;
  readonly change?: string;
  readonly limit: number;
}

const examples = ['sluice audit', 'sluice audit --change 7', 'sluice audit --by ada --operation retrigger --json'];
const details =
  'What people have asked the server for, by the command line or the API, and what came of it, also what was refused. ' +
  'What they pushed, voted and said elsewhere is at the review system. Reading it needs the token that acting needs.';

/** Adds `audit`. */
export function register(program: Command): void {
  addClientOptions(addCommand(program, 'audit', { examples, details }))
    .option('--by <name>', 'by this person')
    .option('--operation <name>', 'of this kind: enqueue, dequeue, promote, retrigger, cancel, hold, release, …')
    .option('--change <id>', 'about this change')
    .option('--limit <number>', 'at most so many, newest first', parseLimit, 50)
    .action(async (options: Options) => {
      const { by, operation, change, limit } = options;
      const client = createClient({ ...options, asHolder: true });
      const { records, more } = await client.list<Act>('/api/audit', { by, operation, change }, limit);
      printRecords(records, render, options);
      if (more && !options.json) sayMore(limit);
    });
}

const colours: Readonly<Record<Act['outcome'], Paint>> = { done: 'green', refused: 'yellow', failed: 'red' };

function render(acts: readonly Act[]): string {
  if (acts.length === 0) return 'Nobody has asked for such a thing.';
  const rows = acts.map((act) => {
    const { time, by, outcome, reason } = act;
    return [when(time), by.name, by.via, paint(colours[outcome], outcome), actText(act) + (reason && `: ${reason}`)];
  });
  return table(['ASKED (UTC)', 'BY', 'VIA', 'OUTCOME', 'WHAT'], rows);
}
