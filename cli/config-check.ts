import type { Command } from 'commander';
import { type ParsedFile, problemText, problemTextAnywhere } from '../pipelines/language/language.ts';
import type { Problem } from '../pipelines/model/position.ts';
import { counted } from '../pipelines/model/words.ts';
import { addCommand, jsonOption } from './command.ts';
import { checkGraphs, doubtfulLabels } from './config-graphs.ts';
import { type ConfigOptions, loadConfig, requirePaths, runningOption, tenantOptions } from './config-input.ts';
import { failed } from './fault.ts';
import { note, print, worded } from './output.ts';

const examples = [
  'sluice config check .',
  'sluice config check --server http://127.0.0.1:8080',
  'sluice config check --tenant-file main.yaml org/app=../app zuul-jobs --json',
];

const details =
  'A directory is a repository, a file one configuration file. The projects are those of the tenant file, or of the ' +
  'sluice.yaml in a directory or of --config; a PATH that neither knows is a trusted project on branch master. The shipped ' +
  'pipelines and jobs are there, unless a tenant file or a PATH brings pipelines of its own. What is named and was ' +
  'not given is a warning; where all projects were given, an error. Beside a tenant file, --config says which ' +
  'platforms there are.';

/** Adds `config check`. */
export function register(program: Command): void {
  const command = addCommand(program, 'config check', { examples, details });
  for (const option of tenantOptions()) command.addOption(option);
  command
    .addOption(runningOption())
    .addOption(jsonOption())
    .argument('[paths...]', 'repositories or files, each PATH or NAME=PATH')
    .action(async (paths: readonly string[], options: ConfigOptions & { readonly json?: boolean }) => {
      requirePaths(paths, options);
      if (options.server !== undefined) return checkRunning(options);
      const loaded = await loadConfig(paths, options);
      const problems = [...loaded.problems, ...checkGraphs(loaded)];
      const summary = { ...countDefinitions(loaded.files), errors: problems.map(shown) };
      print(summary, render, options);
      if (!options.json)
        for (const said of [...problems.map((one) => line(one)), ...(await doubtfulLabels(loaded))]) note(said);
      if (problems.some(({ severity }) => severity === 'error')) throw failed();
    });
}

/** What the server found wrong with what it runs on. */
async function checkRunning(options: ConfigOptions & { readonly json?: boolean }): Promise<void> {
  const { createClient } = await import('./client.ts');
  const { errors } = await createClient(options).get<{ errors: Problem[] }>('/api/config/problems');
  const lines = errors.map((problem) => worded(line(problem, problemTextAnywhere)));
  print({ errors: errors.map(placed) }, () => [...lines, runningSummary(errors)].join('\n'), options);
  if (errors.some(({ severity }) => severity === 'error')) throw failed();
}

function runningSummary(errors: readonly Problem[]): string {
  const wrong = errors.filter(({ severity }) => severity === 'error').length;
  return `The configuration in force: ${counted(wrong, 'error')}, ${counted(errors.length - wrong, 'warning')}.`;
}

type Counts = Record<keyof Omit<ParsedFile['stanzas'], 'broken'>, number>;

function countDefinitions(files: readonly ParsedFile[]): Counts {
  const counts: Counts = {
    pipelines: 0,
    jobs: 0,
    projects: 0,
    templates: 0,
    queues: 0,
    nodesets: 0,
    semaphores: 0,
    secrets: 0,
  };
  for (const { stanzas } of files) {
    for (const kind of Object.keys(counts) as (keyof Counts)[]) counts[kind] += stanzas[kind].length;
  }
  return counts;
}

function shown({ path, line, column, severity, message }: Problem) {
  return { path, line, column, severity, message };
}

/** With the repository and branch: of a running server the path alone says little. */
function placed({ project, branch, ...problem }: Problem) {
  return { ...shown(problem), project, branch };
}

/** @param write makes a line of it */
function line(problem: Problem, write = problemText): string {
  return problem.severity === 'error' ? write(problem) : write({ ...problem, message: `warning: ${problem.message}` });
}

function render({ errors, ...counts }: Counts & { readonly errors: readonly Pick<Problem, 'severity'>[] }): string {
  const read = Object.entries(counts).filter(([, count]) => count > 0);
  const wrong = errors.filter(({ severity }) => severity === 'error').length;
  const what = read.map(([kind, count]) => counted(count, kind.replace(/s$/, ''))).join(', ') || 'nothing';
  return `Read ${what}; ${counted(wrong, 'error')}, ${counted(errors.length - wrong, 'warning')}.`;
}
