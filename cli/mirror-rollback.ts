import type { Command } from 'commander';
import { addCommand } from './command.ts';
import { conclude, type MirrorOptions } from './mirror.ts';
import { addServerOrStackOptions } from './server-or-stack.ts';

interface Options extends MirrorOptions {
  readonly to?: string;
  readonly hold?: boolean;
}

/** Adds `mirror rollback`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'mirror rollback', {
      examples: ['sluice mirror rollback deb --hold', 'sluice mirror rollback deb --to deb-2026-01-02-030405'],
      details: `Points all links of a set to an earlier snapshot, on all hosts or none. Nothing is sent again.
A second one without --to changes nothing. The next sync publishes the source again, unless the set is paused.`,
    }),
  )
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .option('--to <snapshot>', 'which one (default: the one before the newest)')
    .option('--hold', 'pause the set, so that no sync publishes the source again')
    .action((name: string, { to, hold, ...options }: Options) =>
      conclude(name, { deed: 'rollback', to, hold }, options),
    );
}
