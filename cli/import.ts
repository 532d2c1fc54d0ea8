import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { HandImportResult, PlannedJob } from '../infra/by-hand/import.ts';
import type { ImportHere } from '../infra/by-hand/import-here.ts';
import type { CheckedExport } from '../infra/by-hand/import-place.ts';
import type { Config } from '../infra/config/load.ts';
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
  readonly secret: readonly GivenSecret[];
}

interface GivenSecret {
  readonly name: string;
  readonly file: string;
}

const details = `Compares every file with its digest before anything begins. The jobs run
with the sources and repositories of the export, on the platforms of this
configuration; their logs stay below \`imports/\` in the data directory. Jobs
that need secrets run where all of them are given.
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
    .option(
      '--secret <name=file>',
      'a secret that jobs need: a file with its data as YAML; may be repeated',
      addSecret,
      [],
    )
    .addOption(configOption())
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(runImport);
}

function addSecret(text: string, before: readonly GivenSecret[]): readonly GivenSecret[] {
  const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || file === undefined) throw new InvalidArgumentError('Give NAME=FILE.');
  return [...before, { name, file }];
}

async function runImport(directory: string, options: Options): Promise<void> {
  const config = readConfiguration({ file: options.config });
  const platforms = new Map(allPlatforms(config).map((platform) => [platform.name, platform]));
  const of = await orMisused(read(resolve(directory)));
  const needed = platformsOf(of, platforms);
  const here = await whatIsHere(of, { config, platforms, needed }, options);
  if (options.dryRun) return rehearse(of, here, { platforms, options });
  const { importByHand } = await import('../infra/by-hand/import.ts');
  const { machinesHere } = await import('../infra/by-hand/import-here.ts');
  const start = Date.now();
  const onProgress = (line: string) => log(`[${duration((Date.now() - start) / 1000)}] ${line}`);
  for (const line of differences(of, platforms)) log(line);
  const result = await orMisused(
    withEngine(needed, onProgress, (signal) =>
      importByHand({
        ...{ of, signal, onProgress, here, machines: (door) => machinesHere(config.data, needed, door) },
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

interface Configured {
  readonly config: Config;
  readonly platforms: ReadonlyMap<string, Platform>;
  readonly needed: readonly Platform[];
}

/** @throws CommandError 2 for a secret that no job needs, or that cannot be read */
async function whatIsHere(
  { description }: CheckedExport,
  { config, platforms, needed }: Configured,
  { secret: given }: Options,
): Promise<ImportHere> {
  const { readSecretData, unpreparedIn } = await import('../infra/by-hand/import-here.ts');
  const { secretsIn } = await import('../infra/by-hand/import.ts');
  const known = secretsIn(description);
  const other = given.find(({ name }) => !known.includes(name));
  if (other !== undefined)
    throw misused(`--secret: no job needs the secret ${other.name}: they need ${known.join(', ') || 'none'}`);
  const read = given.map(async ({ name, file }) => [name, await readSecretData(file)] as const);
  const secrets = await Promise.all(read).catch((error: Error) => {
    throw misused(`--secret: ${error.message}`);
  });
  const unprepared = await unpreparedIn(config.data, needed);
  return { platform: (label) => platforms.get(label), secrets: new Map(secrets), unprepared };
}

interface Rehearsal {
  readonly platforms: ReadonlyMap<string, Platform>;
  readonly options: Options;
}

async function rehearse(of: CheckedExport, here: ImportHere, { platforms, options }: Rehearsal): Promise<void> {
  const { lacksOf, planOf } = await import('../infra/by-hand/import.ts');
  const { checkSources } = await import('../infra/by-hand/import-place.ts');
  await orMisused(checkSources(of));
  const { buildSet } = of.description;
  const notes = differences(of, platforms);
  print({ buildSet, jobs: planOf(of, here), lacks: lacksOf(of, here), notes }, renderPlan, options);
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
