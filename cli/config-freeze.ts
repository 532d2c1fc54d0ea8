import type { Command } from 'commander';
import { shippedProject } from '../activities/layout/shipped.ts';
import { type FreezeResult, freezeJobs, problemText, problemTextAnywhere } from '../pipelines/language/language.ts';
import type { FrozenJob, Nodeset } from '../pipelines/model/job.ts';
import type { Problem } from '../pipelines/model/position.ts';
import { addCommand, append, jsonOption } from './command.ts';
import {
  type ConfigOptions,
  type LoadedConfig,
  loadConfig,
  requirePaths,
  runningOption,
  tenantOptions,
} from './config-input.ts';
import { takesBranch } from './config-tenant.ts';
import { failed } from './fault.ts';
import { duration, print, table } from './output.ts';

interface Options extends ConfigOptions {
  readonly pipeline: string;
  readonly project: string;
  /** Absent: whichever branch it is that was given. */
  readonly branch?: string;
  readonly file?: readonly string[];
  readonly table?: boolean;
  readonly json?: boolean;
}

/** Branch that repositories are read as. */
const given = 'master';

const examples = ['sluice config freeze --pipeline gate --project org/app --file src/main.c .'];
const details =
  'The jobs in the order of their definition, or what stands in the way: as a table in a terminal or with --table, ' +
  'elsewhere and with --json as one JSON document.';

/** Adds `config freeze`. */
export function register(program: Command): void {
  const command = addCommand(program, 'config freeze', { examples, details });
  for (const option of tenantOptions()) command.addOption(option);
  command
    .requiredOption('--pipeline <name>', 'pipeline')
    .requiredOption('--project <name>', 'project of the change')
    .option('--branch <name>', `branch of the change (default: ${given})`)
    .option('--file <path>', 'a file that the change touches; may be repeated', append)
    .option('--table', 'a table for people, wherever it goes')
    .addOption(runningOption())
    .addOption(jsonOption())
    .argument('[paths...]', 'repositories or files, each PATH or NAME=PATH')
    .action(async (paths: readonly string[], options: Options) => {
      requirePaths(paths, options);
      const result = await (options.server === undefined
        ? loadConfig(paths, options, { branch: given, ...options }).then((loaded) => freezeFor(loaded, options))
        : freezeRunning(options));
      const asTable = options.json !== true && (options.table === true || process.stdout.isTTY);
      if ('errors' in result) {
        const sentences = result.errors.map(options.server === undefined ? sentence : problemTextAnywhere).join('\n');
        print(result, () => sentences, { json: !asTable });
        // Who did not ask for the document reads the sentence.
        throw asTable || options.json ? failed() : failed(sentences);
      }
      print({ jobs: result.graph.jobs.map(shown) }, render, { json: !asTable });
    });
}

/** A problem with its place, where it has one. */
function sentence(problem: Problem): string {
  return problem.path === '' ? problem.message : problemText(problem);
}

/** As the server has it: by the configuration in force. */
async function freezeRunning(options: Options): Promise<FreezeResult> {
  const { createClient } = await import('./client.ts');
  const { pipeline, project, branch = given, file = [] } = options;
  const query = new URLSearchParams([
    ['pipeline', pipeline],
    ['project', project],
    ['branch', branch],
  ]);
  for (const path of file) query.append('file', path);
  return createClient(options).get<FreezeResult>(`/api/config/freeze?${query}`);
}

function freezeFor(loaded: LoadedConfig, { pipeline, project, branch: asked, file }: Options): FreezeResult {
  const { layout } = loaded;
  if (!layout.pipelines.has(pipeline)) return refusal(`pipeline "${pipeline}" is not defined`, layout.pipelines.keys());
  const found = layout.projects.byName.get(project);
  if (found === undefined || !loaded.known.has(found.name)) {
    return refusal(`project "${project}" is not known`, loaded.known);
  }
  const listed = loaded.listed.find(({ name }) => name === found.name);
  if (asked !== undefined && listed !== undefined && !takesBranch(listed, asked)) {
    const message = `the tenant does not take branch "${asked}" of ${project}: see include-branches and exclude-branches`;
    return { errors: [problem(message)] };
  }
  const [branch, files] = [asked ?? given, file ?? null];
  const result = freezeJobs(layout, { pipeline, change: { id: 'change', project, branch, files } });
  if ('errors' in result || result.graph.jobs.length > 0 || found.trusted) return result;
  const read = new Set(layout.files.flatMap(({ origin }) => (origin.project === found.name ? [origin.branch] : [])));
  // Its own configuration holds for the branch that it stands on: of another one nothing is known.
  return read.size === 0 || read.has(branch) ? result : refusal(`branch "${branch}" of ${project} was not read`, read);
}

function refusal(message: string, known: Iterable<string>): FreezeResult {
  const names = [...known].filter((name) => name !== shippedProject).join(', ') || 'none';
  return { errors: [problem(`${message}; there are: ${names}`)] };
}

function problem(message: string): Problem {
  return { path: '', line: 1, column: 1, severity: 'error', message };
}

function shown({ key: _key, change: _change, nodeset, alternatives, ...job }: FrozenJob) {
  return { ...job, nodeset: shownNodeset(nodeset), alternatives: alternatives.map(shownNodeset) };
}

type Shown = ReturnType<typeof shown>;

function render({ jobs }: { readonly jobs: readonly Shown[] }): string {
  if (jobs.length === 0) return 'No job would run.';
  const rows = jobs.map(({ name, voting, dependencies, nodeset, uses, run, timeout }) => {
    const after = dependencies.map(({ name: one, soft }) => (soft ? `${one} (soft)` : one)).join(', ');
    const nodes = nodeset.nodes.map(({ label }) => label).join(', ');
    const does = uses ?? run.map(({ path }) => path).join(', ');
    return [name, voting ? 'yes' : 'no', does, nodes, timeout === null ? '' : duration(timeout), after];
  });
  return table(['JOB', 'VOTING', 'DOES', 'NODES', 'TIMEOUT', 'AFTER'], rows);
}

function shownNodeset({ name, nodes, groups }: Nodeset) {
  return {
    name,
    nodes: nodes.map(({ name, ...node }) => ({ name: name.length === 1 ? name[0] : name, ...node })),
    groups,
  };
}
