import type { Command } from 'commander';
import { addCommand } from './command.ts';
import { conclude, type MirrorOptions } from './mirror.ts';
import { addServerOrStackOptions } from './server-or-stack.ts';

/** Adds `mirror resume`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'mirror resume', {
      examples: ['sluice mirror resume deb'],
      details: 'Sends what the source is now if a sync was asked for while the set was paused.',
    }),
  )
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .action((name: string, options: MirrorOptions) => conclude(name, { deed: 'resume' }, options));
}
