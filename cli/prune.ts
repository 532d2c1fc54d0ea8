import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { MarkList } from '../activities/storage/marks.ts';
import { readHolder } from '../infra/stack/lock.ts';
import { counted } from '../pipelines/model/words.ts';
import { createClient } from './client.ts';
import { addCommand, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { note, print } from './output.ts';

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
      'Logs, artifacts and test repositories are as old as the end of the last build that has to do with them; what ' +
      'open queues, running jobs and releases refer to stays. Speculative commits go after a week. ' +
      'Released repositories and mirrors are not touched. It may run beside `sluice up`.',
  })
    .option('--dry-run', 'only say what would go')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(prune);
}

async function prune(options: PruneCommandOptions): Promise<void> {
  const config = readConfiguration({ file: options.config });
  const { data, retention } = config;
  const { dataPaths } = await import('../infra/stack/paths.ts');
  const { createCommon } = await import('../infra/common/common.ts');
  const { standalone } = await import('../infra/stack/settings.ts');
  const { pruneStorage } = await import('../activities/storage/filesystem/prune.ts');
  const { prunePayloads } = await import('../activities/storage/filesystem/prune-payloads.ts');
  const { storage, repositories, released, store } = dataPaths(data);
  const [now, dryRun] = [Date.now(), options.dryRun === true];
  const inUse = existsSync(store) ? await whatIsInUse(storage, options) : undefined;
  const pruned = await pruneStorage({
    storage,
    repositories: join(repositories, 'test'),
    keep: retention.builds,
    freeDisk: retention.freeDisk,
    now,
    dryRun,
    ...(inUse === undefined ? {} : { inUse }),
  });
  const payloads = await prunePayloads({ storage, keep: retention.builds, inUse, now, dryRun });
  const staged = inUse === null ? 0 : await removeDead(released, { inUse, now, dryRun });
  // Speculative commits have a time of their own: nobody looks at them once their item has left its queue.
  const { git, live } = createCommon(standalone(config));
  const names = live.projects().map(({ name }) => name);
  const states = await git.expire(names, { now, dryRun });
  const text =
    `${dryRun ? 'would remove' : 'removed'} logs of ${counted(pruned.logs, 'build')}, ${counted(pruned.blobs, 'blob')} and ` +
    `${counted(pruned.repositories, 'test repository', 'test repositories')}: ${Math.round(pruned.bytes / 2 ** 20)} MiB, and ` +
    `${counted(payloads, 'payload')} of workflows; ` +
    `let go of ${counted(states, 'speculative commit')} and ${counted(staged, 'state')} of releases that ended before they were shown`;
  print({ ...pruned, payloads, states, staged }, () => text, options);
}

interface Dead {
  readonly inUse: MarkList | undefined;
  readonly now: number;
  readonly dryRun: boolean;
}

/** An hour, in milliseconds: a younger one may be a release's that nothing has been heard of yet. */
const young = 3_600_000;

/** What releases prepared and never showed, unless they are still at it. */
async function removeDead(released: string, { inUse, now, dryRun }: Dead): Promise<number> {
  const { createReleasedWriter } = await import('../activities/storage/filesystem/released-writer.ts');
  const known = Math.min(now, inUse?.time ?? now) - young;
  const isWanted = (name: string, touched: number) => inUse?.marks.staged.has(name) === true || touched > known;
  return createReleasedWriter(released).sweep(isWanted, dryRun);
}

/**
 * What the server knows to be in use: as of now while it runs, else as it wrote it down last.
 *
 * @returns null when nobody knows: before the first start of a version that writes it down.
 */
async function whatIsInUse(storage: string, options: PruneCommandOptions): Promise<MarkList | null> {
  const { inUsePath } = await import('../infra/compose/in-use.ts');
  const { readMarks } = await import('../activities/storage/marks.ts');
  const { data } = readConfiguration({ file: options.config });
  if (readHolder(data)?.stack) await createClient(options).post('/api/storage/in-use', {});
  try {
    return readMarks(await readFile(inUsePath(storage), 'utf8'));
  } catch {
    note('it is not known which artifacts are in use: none is removed until `sluice up` has run');
    return null;
  }
}
