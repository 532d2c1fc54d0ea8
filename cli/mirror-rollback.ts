import type { Command } from 'commander';
import { addCommand, configOption, embeddedOption, jsonOption } from './command.ts';
import { conclude, type MirrorOptions, openSet } from './mirror.ts';

interface Options extends MirrorOptions {
  readonly to?: string;
  readonly hold?: boolean;
}

/** Adds `mirror rollback`. */
export function register(program: Command): void {
  addCommand(program, 'mirror rollback', {
    examples: ['sluice mirror rollback deb --hold', 'sluice mirror rollback deb --to deb-2026-01-02-030405'],
    details: `Points all links of a set to an earlier snapshot, on all hosts or none. Nothing is sent again.
A second one without --to changes nothing. The next sync publishes the source again, unless the set is paused.`,
  })
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .option('--to <snapshot>', 'which one (default: the one before the newest)')
    .option('--hold', 'pause the set, so that no sync publishes the source again')
    .addOption(configOption())
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(async (name: string, options: Options) => {
      const { set, context } = openSet(name, options);
      const { rollbackMirrors } = await import('../activities/mirror/rollback.ts');
      await conclude(rollbackMirrors(set, context, { to: options.to, hold: options.hold }), options);
    });
}
