import type { Command } from 'commander';
import { addCommand, configOption, embeddedOption, jsonOption } from './command.ts';
import { conclude, type MirrorOptions, openSet } from './mirror.ts';

/** Adds `mirror verify`. */
export function register(program: Command): void {
  addCommand(program, 'mirror verify', {
    examples: ['sluice mirror verify deb'],
    details: 'Fetches what each host shows and checks it as a client would: indexes, packages, signatures.',
  })
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .addOption(configOption())
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(async (name: string, options: MirrorOptions) => {
      const { set, context } = openSet(name, options);
      const { verifyMirrors } = await import('../activities/mirror/verify.ts');
      await conclude(verifyMirrors(set, context), options);
    });
}
