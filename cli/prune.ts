import { join } from 'node:path';
import type { Command } from 'commander';
import { addCommand, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { print } from './output.ts';

interface PruneCommandOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly dryRun?: boolean;
}

export function register(program: Command): void {
  addCommand(program, 'prune', {
    examples: ['sluice prune --dry-run', 'sluice prune'],
    details:
      "Goes by the configuration's `retention`: what is older than `builds`, then the oldest until `freeDisk` is free. " +
      'Released repositories and mirrors are not touched. It may run beside `sluice up`.',
  })
    .option('--dry-run', 'only say what would go')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(prune);
}

async function prune(options: PruneCommandOptions): Promise<void> {
  const { data, retention } = readConfiguration({ file: options.config });
  const { dataPaths } = await import('../infra/stack/paths.ts');
  const { pruneStorage } = await import('../activities/storage/filesystem/prune.ts');
  const { storage, repositories } = dataPaths(data);
  const pruned = await pruneStorage({
    storage,
    repositories: join(repositories, 'test'),
    keep: retention.builds,
    freeDisk: retention.freeDisk,
    now: Date.now(),
    dryRun: options.dryRun === true,
  });
  const verb = options.dryRun ? 'would remove' : 'removed';
  const text = `${verb} logs of ${pruned.logs} builds, ${pruned.blobs} blobs and ${pruned.repositories} test repositories: ${Math.round(pruned.bytes / 2 ** 20)} MiB`;
  print(pruned, () => text, options);
}
