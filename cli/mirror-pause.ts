import type { Command } from 'commander';
import { addCommand } from './command.ts';
import { conclude, type MirrorOptions } from './mirror.ts';
import { addServerOrStackOptions } from './server-or-stack.ts';

/** Adds `mirror pause`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'mirror pause', {
      examples: ['sluice mirror pause deb'],
      details: 'Syncs that are asked for meanwhile become one. A sync that goes on now ends as it would have.',
    }),
  )
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .action((name: string, options: MirrorOptions) => conclude(name, { deed: 'pause' }, options));
}
