import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { HandImportResult, PlannedJob } from '../infra/by-hand/import.ts';
import type { CheckedExport } from '../infra/by-hand/import-place.ts';
import { allPlatforms } from '../infra/config/platforms.ts';
import type { Platform } from '../pipelines/model/platform.ts';
import { addCommand, configOption, embeddedOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused } from './fault.ts';
import { duration, log, paint, print, table } from './output.ts';
import { withEngine } from './platform.ts';

interface Options {
  readonly config?: string;
  readonly dryRun?: boolean;
  readonly keep?: boolean;
  readonly json?: boolean;
}

const details = `Compares every file with its digest before anything begins. The jobs run
with the sources and repositories of the export, on the platforms of this
configuration; their logs stay below \`imports/\` in the data directory.
Nothing imported can be released.`;

/** Adds `import`. */
export function register(program: Command): void {
  addCommand(program, 'import', {
    examples: ['sluice import out/tinycdb-7', 'sluice import out/tinycdb-7 --dry-run --json'],
    details,
  })
    .argument('<directory>', 'what `sluice export` has written')
    .option('--dry-run', 'check the export, say what would run, and run nothing')
    .option('--keep', 'keep what the jobs made, too')
    .addOption(configOption())
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(runImport);
}

async function runImport(directory: string, options: Options): Promise<void> {
  const config = readConfiguration({ file: options.config });
  const platforms = new Map(allPlatforms(config).map((platform) => [platform.name, platform]));
  const of = await orMisused(read(resolve(directory)));
  const needed = platformsOf(of, platforms);
  if (options.dryRun) return rehearse(of, platforms, options);
  const { importByHand } = await import('../infra/by-hand/import.ts');
  const start = Date.now();
  const onProgress = (line: string) => log(`[${duration((Date.now() - start) / 1000)}] ${line}`);
  for (const line of differences(of, platforms)) log(line);
  const result = await orMisused(
    withEngine(needed, onProgress, (signal) =>
      importByHand({
        ...{ of, signal, onProgress, platform: (label) => platforms.get(label) },
        ...{ imports: join(config.data, 'imports'), slots: Math.max(1, config.workers.build), keep: !!options.keep },
      }),
    ),
  );
  print(result, render, options);
  if (!result.same) throw failed();
}

async function read(directory: string): Promise<CheckedExport> {
  const { checkExport } = await import('../activities/export/check.ts');
  const { readJobs } = await import('../infra/by-hand/import-place.ts');
  return readJobs(directory, await checkExport(directory));
}

async function orMisused<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof Error && error.name === 'BadExport' ? misused(error.message) : error;
  });
}

/** @throws CommandError 2 that names every platform which is not there, and what it was */
function platformsOf({ description }: CheckedExport, known: ReadonlyMap<string, Platform>): readonly Platform[] {
  const labels = [...new Set(description.jobs.flatMap((job) => job.labels))];
  const missing = labels.filter((label) => !known.has(label));
  if (missing.length > 0) {
    const lines = missing.map((label) => {
      const was = description.platforms[label];
      const hint = was === undefined ? '' : `; it was ${JSON.stringify(was)}`;
      return `no platform is called ${JSON.stringify(label)}: give it in sluice.yaml's platforms${hint}`;
    });
    throw misused(lines.join('\n'));
  }
  return labels.flatMap((label) => known.get(label) ?? []);
}

/** What of the platforms is configured otherwise here: results may differ for that. */
function differences({ description }: CheckedExport, known: ReadonlyMap<string, Platform>): readonly string[] {
  return Object.entries(description.platforms).flatMap(([name, was]) => {
    const is = known.get(name) as Readonly<Record<string, unknown>> | undefined;
    const keys = Object.keys(was).filter((key) => JSON.stringify(is?.[key]) !== JSON.stringify(was[key]));
    return keys.length === 0 || is === undefined ? [] : [`${name} is configured otherwise here: ${keys.join(', ')}`];
  });
}

async function rehearse(of: CheckedExport, known: ReadonlyMap<string, Platform>, options: Options): Promise<void> {
  const { lacksOf, planOf } = await import('../infra/by-hand/import.ts');
  const jobs = planOf(of, (label) => known.get(label));
  print(
    { buildSet: of.description.buildSet, jobs, lacks: lacksOf(of), notes: differences(of, known) },
    renderPlan,
    options,
  );
}

function renderPlan({ jobs, notes }: { jobs: readonly PlannedJob[]; notes: readonly string[] }): string {
  const rows = jobs.map(({ job, exported, runs, reason }) => [
    job,
    exported ?? '-',
    runs ? 'would run' : `no: ${reason}`,
  ]);
  return [table(['JOB', 'EXPORTED', 'HERE'], rows), ...notes].join('\n');
}

function render({ jobs, same, lacks, directory }: HandImportResult): string {
  const rows = jobs.map(({ job, voting, exported, here, same: equal, summary }) => [
    voting ? job : `${job} (non-voting)`,
    exported ?? '-',
    equal === false ? paint('red', here ?? '-') : (here ?? '-'),
    summary,
  ]);
  const verdict = same ? paint('green', 'all voting jobs came to the same') : paint('red', 'not the same');
  const secrets = lacks.length === 0 ? [] : [`Its jobs need secrets, which no export has: ${lacks.join(', ')}`];
  return [table(['JOB', 'EXPORTED', 'HERE', 'WHAT CAME OUT'], rows), ...secrets, `${verdict}; see ${directory}`].join(
    '\n',
  );
}
