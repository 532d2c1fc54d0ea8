import type { Command } from 'commander';
import { addCommand, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused } from './fault.ts';
import { print } from './output.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
  readonly from: string;
}

/** Adds `branch add`. */
export function register(program: Command): void {
  addCommand(program, 'branch add', {
    examples: ['sluice branch add tinycdb stable --from master', 'sluice branch add tinycdb 1.x --from refs/tags/v1.0'],
    details: 'For whoever runs Sluice: branches move through the gate, and a push cannot make one.',
  })
    .argument('<project>', 'a project of the built-in host')
    .argument('<branch>', 'name of the new branch')
    .requiredOption('--from <where>', "a branch, a commit's whole id, or a full ref such as refs/tags/v1")
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (project: string, branch: string, options: Options) => {
      const config = readConfiguration({ file: options.config });
      const { makeBranch } = await import('../infra/git-host/refs.ts');
      const made = await makeBranch(config, { project, branch, from: options.from }).catch((error: Error) => {
        throw error.name === 'BadName' ? misused(error.message) : failed(`${project} ${branch}: ${error.message}`);
      });
      const say = () => `${project} has a branch ${branch} now, at ${made.commit}: push to refs/for/${branch}`;
      print(made, say, options);
    });
}
