import type { Command } from 'commander';
import { addCommand, configOption, embeddedOption, jsonOption } from './command.ts';
import { conclude, type MirrorOptions, openSet } from './mirror.ts';

/** Adds `mirror pause`. */
export function register(program: Command): void {
  addCommand(program, 'mirror pause', {
    examples: ['sluice mirror pause deb'],
    details: 'Syncs that are asked for meanwhile become one. A sync that goes on now ends as it would have.',
  })
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .addOption(configOption())
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(async (name: string, options: MirrorOptions) => {
      const { set, context } = openSet(name, options);
      const { pauseMirrors } = await import('../activities/mirror/pause.ts');
      await conclude(pauseMirrors(set, context), options);
    });
}
