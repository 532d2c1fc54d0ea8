import type { Command } from 'commander';
import { addCommand, configOption, jsonOption } from './command.ts';
import { conclude, type MirrorOptions, openSet } from './mirror.ts';

interface Options extends MirrorOptions {
  readonly to?: string;
}

/** Adds `mirror rollback`. */
export function register(program: Command): void {
  addCommand(program, 'mirror rollback', {
    examples: ['sluice mirror rollback deb', 'sluice mirror rollback deb --to deb-2026-01-02-030405'],
    details: 'Points all links of a set to an earlier snapshot, on all hosts or none. Nothing is sent again.',
  })
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .option('--to <snapshot>', 'which one (default: the one before the newest)')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (name: string, options: Options) => {
      const { set, context } = openSet(name, options);
      const { rollbackMirrors } = await import('../activities/mirror/rollback.ts');
      await conclude(rollbackMirrors(set, context, { to: options.to }), options);
    });
}
