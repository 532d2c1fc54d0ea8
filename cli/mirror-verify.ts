import type { Command } from 'commander';
import { addCommand } from './command.ts';
import { conclude, type MirrorOptions } from './mirror.ts';
import { addServerOrStackOptions } from './server-or-stack.ts';

/** Adds `mirror verify`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'mirror verify', {
      examples: ['sluice mirror verify deb'],
      details: 'Fetches what each host shows and checks it as a client would: indexes, packages, signatures.',
    }),
  )
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .action((name: string, options: MirrorOptions) => conclude(name, { deed: 'verify' }, options));
}
