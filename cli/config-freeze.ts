import type { Command } from 'commander';
import { type FreezeResult, freezeJobs, type Layout } from '../pipelines/language/language.ts';
import type { FrozenJob, Nodeset } from '../pipelines/model/job.ts';
import type { Problem } from '../pipelines/model/position.ts';
import { addCommand, append, jsonOption } from './command.ts';
import { type ConfigOptions, loadConfig, tenantOptions } from './config-input.ts';
import { failed } from './fault.ts';
import { print } from './output.ts';

interface Options extends ConfigOptions {
  readonly pipeline: string;
  readonly project: string;
  readonly branch: string;
  readonly file?: readonly string[];
}

const examples = ['sluice config freeze --pipeline gate --project org/app --file src/main.c .'];
const details = 'Prints one JSON document: the jobs in the order of their definition, or what stands in the way.';

/** Adds `config freeze`. */
export function register(program: Command): void {
  const command = addCommand(program, 'config freeze', { examples, details });
  for (const option of tenantOptions()) command.addOption(option);
  command
    .requiredOption('--pipeline <name>', 'pipeline')
    .requiredOption('--project <name>', 'project of the change')
    .option('--branch <name>', 'branch of the change', 'master')
    .option('--file <path>', 'a file that the change touches; may be repeated', append)
    .addOption(jsonOption())
    .argument('<paths...>', 'repositories or files, each PATH or NAME=PATH')
    .action(async (paths: readonly string[], options: Options) => {
      const { layout } = await loadConfig(paths, options, options);
      const result = freezeFor(layout, options);
      print('graph' in result ? { jobs: result.graph.jobs.map(shown) } : result, JSON.stringify, { json: true });
      if ('errors' in result) throw failed();
    });
}

function freezeFor(layout: Layout, { pipeline, project, branch, file }: Options): FreezeResult {
  if (!layout.pipelines.has(pipeline)) {
    const known = [...layout.pipelines.keys()].join(', ') || 'none';
    return { errors: [problem(`pipeline "${pipeline}" is not defined; there are: ${known}`)] };
  }
  const files = file ?? null;
  return freezeJobs(layout, { pipeline, change: { id: 'change', project, branch, files } });
}

function problem(message: string): Problem {
  return { path: '', line: 1, column: 1, severity: 'error', message };
}

function shown({ key: _key, change: _change, nodeset, alternatives, ...job }: FrozenJob) {
  return { ...job, nodeset: shownNodeset(nodeset), alternatives: alternatives.map(shownNodeset) };
}

function shownNodeset({ name, nodes, groups }: Nodeset) {
  return {
    name,
    nodes: nodes.map((node) => ({ name: node.name.length === 1 ? node.name[0] : node.name, label: node.label })),
    groups,
  };
}
