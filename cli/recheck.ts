import type { Command } from 'commander';
import { addClientOptions, type ClientOptions } from './client.ts';
import { addCommand } from './command.ts';
import { effectLines, sayOn } from './comment.ts';
import { print } from './output.ts';

const details = `It is the comment \`recheck\`, which the shipped pipeline check reacts to; another configuration names the
words that its pipelines react to, for \`sluice comment\`. \`sluice retrigger\` runs one job again.`;

/** Adds `recheck`. */
export function register(program: Command): void {
  addClientOptions(
    addCommand(program, 'recheck', { examples: ['sluice recheck 7', 'sluice recheck tinycdb/7'], details }),
  )
    .argument('<change>', 'number, PROJECT/NUMBER or Change-Id')
    .action(async (change: string, options: ClientOptions) => {
      const done = await sayOn(change, 'recheck', options);
      const asked = `${change}: asked for another check; \`sluice change show ${change}\` says what comes of it`;
      print(done, () => [asked, ...effectLines(done)].join('\n'), options);
    });
}
