import type { Command } from 'commander';
import type { Acted } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { misused } from './fault.ts';
import { print } from './output.ts';

const details = `Pipelines see it as the event \`comment-added\`. The words are those of the account whose token is used:
the one that Sluice runs as.`;

/** Adds `comment`. */
export function register(program: Command): void {
  const examples = ["sluice comment 7 'Tested on my laptop as well'", 'sluice comment tinycdb/7 recheck'];
  addClientOptions(addCommand(program, 'comment', { examples, details }))
    .argument('<change>', 'number, PROJECT/NUMBER or Change-Id')
    .argument('<text>', 'what to say')
    .action(async (change: string, text: string, options: ClientOptions) => {
      print(
        await sayOn(change, text, options),
        (said) => [`${change}: said`, ...effectLines(said)].join('\n'),
        options,
      );
    });
}

/** What to say where nothing comes of a vote or a comment. */
export function effectLines({ withoutEffect = [] }: Acted): readonly string[] {
  return withoutEffect.length === 0 ? [] : ['It has no effect now:', ...withoutEffect.map((line) => `  ${line}`)];
}

/** Says something on a change's current patch set. */
export async function sayOn(change: string, text: string, options: ClientOptions): Promise<Acted> {
  if (text.trim() === '') throw misused('there is nothing to say: give the words of the comment');
  return createClient(options).post<Acted>(`/api/changes/${encodeURIComponent(change)}/comment`, { text });
}
