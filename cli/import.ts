import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { HandImportResult } from '../infra/by-hand/import.ts';
import type { ImportHere } from '../infra/by-hand/import-here.ts';
import type { CheckedExport } from '../infra/by-hand/import-place.ts';
import type { ImportRehearsal } from '../infra/by-hand/import-plan.ts';
import { allPlatforms } from '../infra/config/platforms.ts';
import { importedNodes } from '../pipelines/by-hand/import-nodes.ts';
import { outputName } from '../pipelines/by-hand/request.ts';
import type { ApiClient } from './client.ts';
import { addCommand } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused } from './fault.ts';
import { duration, log, paint, print, table, worded } from './output.ts';
import { withEngine } from './platform.ts';
import { addServerOrStackOptions, findServer, type ServerOrStackOptions } from './server-or-stack.ts';

interface Options extends ServerOrStackOptions {
  readonly dryRun?: boolean;
  readonly keep?: boolean;
  readonly secret: readonly GivenSecret[];
}

interface GivenSecret {
  readonly name: string;
  readonly file: string;
}

const details = `Compares every file with its digest before anything begins. The jobs run
with the sources and repositories of the export, on the platforms of this
configuration; their logs stay below \`imports/\` in the data directory, or as
\`output.tar\` at the build where a server does it. Jobs that need secrets run
where all of them are given.
Nothing imported can be released.`;

/** Adds `import`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'import', {
      examples: ['sluice import out/tinycdb-7', 'sluice import out/tinycdb-7 --dry-run --json'],
      details,
    }),
  )
    .argument('<directory>', 'what `sluice export` has written')
    .option('--dry-run', 'check the export, say what would run, and run nothing')
    .option('--keep', 'keep what the jobs made, too')
    .option(
      '--secret <name=file>',
      'a secret that jobs need: a file with its data as YAML; may be repeated',
      addSecret,
      [],
    )
    .action(runImport);
}

function addSecret(text: string, before: readonly GivenSecret[]): readonly GivenSecret[] {
  const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || file === undefined) throw new InvalidArgumentError('Give NAME=FILE.');
  return [...before, { name, file }];
}

async function runImport(directory: string, options: Options): Promise<void> {
  const { readExport, readyImport, rehearseImport, runImport: run } = await import('../infra/by-hand/import-plan.ts');
  const of = await orMisused(readExport(resolve(directory)));
  const server = await findServer(options);
  if (server !== undefined) return importThere(server, of, options);
  const config = readConfiguration({ file: options.config });
  const secrets = await givenSecrets(of, options);
  const { data, nodes } = config;
  const into = { data, platforms: allPlatforms(config), mirrors: nodes.vm.mirrors, secrets };
  const ready = await orMisused(readyImport(of, into));
  if (options.dryRun) return print(await orMisused(rehearseImport(ready)), renderPlan, options);
  const start = Date.now();
  const onProgress = (line: string) => log(`[${duration((Date.now() - start) / 1000)}] ${line}`);
  const slots = Math.max(1, config.workers.build);
  const result = await orMisused(
    withEngine(ready.needed, onProgress, (signal) => run(ready, { slots, keep: !!options.keep, signal, onProgress })),
  );
  conclude(result, options);
}

function conclude(result: HandImportResult, options: Options): void {
  print(result, render, options);
  if (!result.same) throw failed();
}

/** Secrets stay on the machine that they are on. */
async function importThere(server: ApiClient, of: CheckedExport, options: Options): Promise<void> {
  if (options.secret.length > 0) throw misused('--secret: no secret is sent to a server: give --embedded besides');
  if (options.keep) throw misused('--keep: a server keeps nothing of an import but its logs: give --embedded besides');
  const { dryRun = false } = options;
  const { workAtServer } = await import('./at-server.ts');
  const jobs = importedNodes(of.stored.graph, of.description.jobs);
  const work = { request: { kind: 'import', dryRun, jobs }, send: of.directory } as const;
  const { answer, build } = await workAtServer<ImportRehearsal | HandImportResult>(server, work);
  const logs = build.artifacts.find(({ name }) => name === outputName)?.url ?? '';
  if ('same' in answer) conclude({ ...answer, directory: logs }, options);
  else print(answer, renderPlan, options);
}

async function orMisused<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof Error && error.name === 'BadExport' ? misused(error.message) : error;
  });
}

/** @throws CommandError 2 for a secret that no job needs, or that cannot be read */
async function givenSecrets(
  { description }: CheckedExport,
  { secret: given }: Options,
): Promise<ImportHere['secrets']> {
  const { readSecretData } = await import('../infra/by-hand/import-here.ts');
  const { secretsIn } = await import('../infra/by-hand/import.ts');
  const known = secretsIn(description);
  const other = given.find(({ name }) => !known.includes(name));
  if (other !== undefined)
    throw misused(`--secret: no job needs the secret ${other.name}: they need ${known.join(', ') || 'none'}`);
  const read = given.map(async ({ name, file }) => [name, await readSecretData(file)] as const);
  const secrets = await Promise.all(read).catch((error: Error) => {
    throw misused(`--secret: ${error.message}`);
  });
  return new Map(secrets);
}

function renderPlan({ jobs, notes }: ImportRehearsal): string {
  const rows = jobs.map(({ job, exported, runs, reason }) => [
    job,
    exported ?? '-',
    runs ? 'would run' : worded(`no: ${reason}`),
  ]);
  return [table(['JOB', 'EXPORTED', 'HERE'], rows), ...notes.map(worded)].join('\n');
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
