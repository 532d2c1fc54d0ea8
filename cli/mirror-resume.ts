import type { Command } from 'commander';
import { addCommand, configOption, embeddedOption, jsonOption } from './command.ts';
import { conclude, type MirrorOptions, openSet } from './mirror.ts';

/** Adds `mirror resume`. */
export function register(program: Command): void {
  addCommand(program, 'mirror resume', {
    examples: ['sluice mirror resume deb'],
    details: 'Sends what the source is now if a sync was asked for while the set was paused.',
  })
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .addOption(configOption())
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(async (name: string, options: MirrorOptions) => {
      const { set, context } = openSet(name, options);
      const { resumeMirrors } = await import('../activities/mirror/pause.ts');
      await conclude(resumeMirrors(set, context), options);
    });
}
