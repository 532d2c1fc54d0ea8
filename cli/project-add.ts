import type { Command } from 'commander';
import type { AddedProject } from '../infra/git-host/project.ts';
import { counted } from '../pipelines/model/words.ts';
import { addCommand, append, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { misused, wordsOf } from './fault.ts';
import { log, paint, print } from './output.ts';
import { refusedSource } from './project-import.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
  readonly queue?: string;
  readonly template?: string[];
  readonly arch?: string[];
}

/** Adds `project add`. */
export function register(program: Command): void {
  addCommand(program, 'project add', {
    examples: [
      'sluice project add tinycdb ~/src/tinycdb',
      'sluice project add mbw https://example.org/mbw.git --queue core',
      'sluice project add tinycdb ~/src/tinycdb --arch amd64 --arch arm64',
    ],
    details:
      'Makes a repository in the data directory, imports the branches and tags of URL (a directory or a Git URL; without ' +
      'one it is empty), installs the hooks, and adds the project to sluice.yaml. Repeat it to renew hooks and settings.',
  })
    .argument('<name>', 'name of the project')
    .argument('[url]', 'where branches and tags are imported from')
    .option('--queue <name>', 'shared queue: its projects are tested together (default: alone)')
    .option(
      '--template <name>',
      'a project template; may be repeated (default: what debian/ and spec files suggest)',
      append,
    )
    .option(
      '--arch <name>',
      'an architecture that its packages are built for; may be repeated (default: the server’s own)',
      append,
    )
    .addOption(configOption())
    .addOption(jsonOption())
    .action(add);
}

async function add(name: string, url: string | undefined, options: Options): Promise<void> {
  const config = readConfiguration({ file: options.config });
  const { addProject } = await import('../infra/git-host/project.ts');
  const { queue = null, template: templates = null, arch } = options;
  const request = { name, url: url ?? null, queue, templates, arch: arch && [...new Set(arch)] };
  const added = await addProject(config, request).catch((error: Error) => {
    throw ['BadName', 'BadQueue', 'BadArch', 'UnknownTemplate'].includes(error.name)
      ? misused(error.message)
      : refusedSource(url)(`project ${name}: ${wordsOf(error)}`);
  });
  if (url !== undefined && !added.created)
    log(`nothing is imported from ${url}: the repository is there already; push to it what it lacks`);
  print(added, render, options);
}

function render({
  project,
  path,
  created,
  queue,
  templates,
  arch,
  branches,
  defaultBranch,
  file,
  lfs,
}: AddedProject): string {
  const branch = defaultBranch ?? 'BRANCH';
  return [
    `${project} is ${created ? 'now' : 'still'} under the gate: ${counted(branches.length, 'branch', 'branches')}, ${queue === null ? 'a queue of its own' : `queue ${queue}`}, ${
      templates.length === 0 ? 'no templates (add some in sluice.yaml)' : templates.join(' and ')
    }.`,
    `  repository     ${path}`,
    `  configuration  ${file}`,
    ...(arch.length > 1 ? [`  architectures  ${arch.join(', ')}`] : []),
    ...(lfs === null
      ? []
      : [`  Git LFS        not imported: ${lfs}; push it from a copy that has it: git lfs push --all file://${path}`]),
    '',
    'Work with it:',
    paint('cyan', `  git clone ${path} && cd ${project.split('/').at(-1)}`),
    paint(
      'cyan',
      '  git fetch -q origin refs/tools/commit-msg && git cat-file blob FETCH_HEAD > .git/hooks/commit-msg && chmod +x .git/hooks/commit-msg',
    ),
    'and propose what you commit:',
    paint('cyan', `  git push origin HEAD:refs/for/${branch}`),
  ].join('\n');
}
