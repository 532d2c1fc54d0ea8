import { type Command, InvalidArgumentError } from 'commander';
import { writtenSeconds } from '../pipelines/model/duration.ts';
import type { AddedHold } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { duration, print } from './output.ts';

interface Options extends ClientOptions {
  readonly project?: string;
  readonly change?: string;
  readonly ref?: string;
  readonly reason: string;
  readonly count: number;
  readonly for: number;
}

/** Adds `hold`. */
export function register(program: Command): void {
  const command = addCommand(program, 'hold', {
    examples: [
      'sluice hold install-deb --change 7 --reason "libc does not start"',
      'sluice hold cluster-test --project tinycdb --ref main --count 2 --for 4h',
      'sluice hold list',
      'sluice hold delete 5d0c7f1e',
    ],
    details:
      'The containers or virtual machines of the next build of the job that fails or does not end in time stay as they ' +
      'are, so that people can look at them: `sluice hold list` says how. They go at their time, or when the hold is ' +
      'deleted. The most exact hold counts: of a change or ref, of a project, of the job alone.',
  });
  // Options that stand behind `list` are those of `list`.
  for (const each of [program, command]) each.enablePositionalOptions();
  addClientOptions(command)
    .argument('<job>', 'the job’s name')
    .option('--project <name>', 'of this project only')
    .option('--change <id>', 'of this change only')
    .option('--ref <ref>', 'of this branch only, or of a ref by its whole name')
    .option('--reason <text>', 'what for, for others who see it; at most 500 characters', parseReason, '')
    .option('--count <n>', 'of how many failed builds', parseCount, 1)
    .option(
      '--for <time>',
      'how long each stays: seconds, or 90m, 4h, 3d; 0: until the hold is deleted',
      parseTime,
      86_400,
    )
    .action(hold);
}

function parseReason(text: string): string {
  if (text.length > 500) throw new InvalidArgumentError('It may have 500 characters at most.');
  return text;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 100) throw new InvalidArgumentError('Give a number from 1 to 100.');
  return count;
}

function parseTime(text: string): number {
  const seconds = text.trim() === '0' ? 0 : Number(writtenSeconds(text));
  if (text.trim() === '' || !Number.isInteger(seconds) || (seconds < 60 && seconds !== 0) || seconds > 365 * 86_400) {
    throw new InvalidArgumentError('Give a minute to a year: seconds, or a time such as 90m, 4h or 3d; or 0.');
  }
  return seconds;
}

async function hold(job: string, options: Options): Promise<void> {
  const { project, change, ref, reason, count, for: seconds } = options;
  const body = { job, project, change, ref, reason, count, seconds: seconds === 0 ? null : seconds };
  const made = await createClient(options).post<AddedHold>('/api/holds', body);
  print(made, render, options);
}

/** So many changes are named. */
const most = 5;

function render({ id, job, count, seconds, mayBring = [] }: AddedHold): string {
  const what = count === 1 ? 'the next failed build' : `the next ${count} failed builds`;
  const end = seconds === null ? 'until the hold is deleted' : `for ${duration(seconds)} each`;
  const made = `hold ${id}: the nodes of ${what} of ${job} stay ${end}; see sluice hold list`;
  if (mayBring.length === 0) return made;
  const more = mayBring.length > most ? ` and ${mayBring.length - most} more` : '';
  return `${made}\nno job is called ${job} now: open changes may bring it, ${mayBring.slice(0, most).join(', ')}${more}`;
}
