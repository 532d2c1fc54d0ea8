import type { Command } from 'commander';
import { addCommand } from './command.ts';
import { conclude, type MirrorOptions } from './mirror.ts';
import { addServerOrStackOptions } from './server-or-stack.ts';

interface Options extends MirrorOptions {
  readonly dryRun?: boolean;
  readonly now?: boolean;
}

/** Adds `mirror sync`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'mirror sync', {
      examples: ['sluice mirror sync deb', 'sluice mirror sync deb --dry-run --json'],
      details: 'Sends the source of a set to all of its hosts in one transaction.',
    }),
  )
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .option('--dry-run', 'say what would be sent, and change nothing')
    .option('--now', "outside the set's window as well")
    .action((name: string, { dryRun, now, ...options }: Options) =>
      conclude(name, { deed: 'sync', dryRun, now }, options),
    );
}
