import type { Command } from 'commander';
import { addCommand, configOption, embeddedOption, jsonOption } from './command.ts';
import { conclude, type MirrorOptions, openSet } from './mirror.ts';

interface Options extends MirrorOptions {
  readonly dryRun?: boolean;
  readonly now?: boolean;
}

/** Adds `mirror sync`. */
export function register(program: Command): void {
  addCommand(program, 'mirror sync', {
    examples: ['sluice mirror sync deb', 'sluice mirror sync deb --dry-run --json'],
    details: 'Sends the source of a set to all of its hosts in one transaction.',
  })
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .option('--dry-run', 'say what would be sent, and change nothing')
    .option('--now', "outside the set's window as well")
    .addOption(configOption())
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(async (name: string, options: Options) => {
      const { set, context } = openSet(name, options);
      const { syncMirrors } = await import('../activities/mirror/sync.ts');
      const asked = options.now ? { ...set, window: undefined } : set;
      await conclude(syncMirrors(asked, context, { dryRun: options.dryRun === true }), options);
    });
}
