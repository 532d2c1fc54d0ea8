import type { Command } from 'commander';
import type { PruneResult } from '../activities/mirror/inspect.ts';
import { counted } from '../pipelines/model/words.ts';
import { addCommand } from './command.ts';
import { failed } from './fault.ts';
import { type MirrorOptions, onSet, renderResult } from './mirror.ts';
import { print } from './output.ts';
import { addServerOrStackOptions } from './server-or-stack.ts';

interface Options extends MirrorOptions {
  readonly dryRun?: boolean;
}

/** Adds `mirror prune`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'mirror prune', {
      examples: ['sluice mirror prune deb --dry-run'],
      details:
        'Removes snapshots that are older than `keep`, but for the newest (`keepAtLeast`), and never one that a link ' +
        'points to. A running server does so by itself, as often as `retention.mirrors` says.',
    }),
  )
    .argument('<set>', 'a set of `mirrors:` in the configuration')
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .action(async (name: string, options: Options) => {
      const { dryRun } = options;
      const result = await onSet<PruneResult>(name, { deed: 'prune', dryRun }, options);
      const lines = Object.entries(result.pruned).flatMap(([host, names]) => names.map((one) => `${host}: - ${one}`));
      const did = dryRun ? 'would go' : 'went';
      const total = `${counted(lines.length, 'snapshot')} ${did}`;
      print(result, () => [renderResult(result), ...lines, total].join('\n'), options);
      if (result.outcome === 'failed') throw failed();
    });
}
