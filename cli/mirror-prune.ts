import type { Command } from 'commander';
import { counted } from '../pipelines/report/words.ts';
import { addCommand, configOption, embeddedOption, jsonOption } from './command.ts';
import { failed } from './fault.ts';
import { type MirrorOptions, openSet, orUnavailable, renderResult } from './mirror.ts';
import { print } from './output.ts';

interface Options extends MirrorOptions {
  readonly dryRun?: boolean;
}

/** Adds `mirror prune`. */
export function register(program: Command): void {
  addCommand(program, 'mirror prune', {
    examples: ['sluice mirror prune deb --dry-run'],
    details:
      'Removes snapshots that are older than `keep`, but for the newest (`keepAtLeast`), and never one that a link ' +
      'points to. A running server does so by itself, as often as `retention.mirrors` says.',
  })
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .addOption(configOption())
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(async (name: string, options: Options) => {
      const { set, context } = openSet(name, options);
      const { pruneMirrors } = await import('../activities/mirror/inspect.ts');
      const result = await orUnavailable(pruneMirrors(set, context, { dryRun: options.dryRun }));
      const lines = Object.entries(result.pruned).flatMap(([host, names]) => names.map((one) => `${host}: - ${one}`));
      const did = options.dryRun ? 'would go' : 'went';
      const total = `${counted(lines.length, 'snapshot')} ${did}`;
      print(result, () => [renderResult(result), ...lines, total].join('\n'), options);
      if (result.outcome === 'failed') throw failed();
    });
}
