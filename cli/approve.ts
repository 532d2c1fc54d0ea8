import type { Command } from 'commander';
import { approval } from '../pipelines/policy/veto.ts';
import type { Acted } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { effectLines } from './comment.ts';
import { misused } from './fault.ts';
import { print } from './output.ts';

interface Options extends ClientOptions {
  readonly label?: string;
  readonly value?: string;
}

/** Adds `approve`. */
export function register(program: Command): void {
  addClientOptions(
    addCommand(program, 'approve', {
      examples: ['sluice approve 7', 'sluice approve tinycdb/7 --label Approved --value -1'],
      details:
        'The vote counts for the current patch set and vanishes with the next. 0 takes it back. ' +
        'It is the vote of the account whose token is used: the one that Sluice runs as.',
    }),
  )
    .argument('<change>', 'number, PROJECT/NUMBER or Change-Id')
    .option(
      '--label <name>',
      'what the vote is about; default: what approves a change, Approved or what its connection names',
    )
    .option('--value <number>', 'a whole number; 0 takes the vote back; default: 1')
    .action(approve);
}

async function approve(change: string, options: Options): Promise<void> {
  const { label } = options;
  const value = options.value === undefined ? undefined : Number(options.value);
  if (value !== undefined && !Number.isInteger(value))
    throw misused(`--value: ${JSON.stringify(options.value)} is not a whole number`);
  const answer = await createClient(options).post<Acted>(`/api/changes/${encodeURIComponent(change)}/approve`, {
    label,
    value,
  });
  // A server of an earlier version does not say what it took for the vote.
  const said = `${answer.label ?? label ?? approval} ${answer.value ?? value ?? 1}`;
  print(answer, () => [`${change}: ${said}`, ...effectLines(answer)].join('\n'), options);
}
