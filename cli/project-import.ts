import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { addCommand, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused } from './fault.ts';
import { print } from './output.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds `project import`. */
export function register(program: Command): void {
  addCommand(program, 'project import', {
    examples: ['sluice project import tinycdb', 'sluice project import tinycdb ~/src/tinycdb'],
    details:
      'Takes over new branches and tags of upstream, or of a clone in which somebody has made a tag. Nothing that is ' +
      'there moves: what a branch got upstream is proposed as a change.',
  })
    .argument('<project>', 'a project of the built-in host')
    .argument('[url]', 'a directory or a Git URL (default: where the project was added from)')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (project: string, url: string | undefined, options: Options) => {
      const config = readConfiguration({ file: options.config });
      const { importRefs } = await import('../infra/git-host/refs.ts');
      const imported = await importRefs(config, project, url ?? null).catch((error: Error) => {
        throw error.name === 'BadName' ? misused(error.message) : refusedSource(url)(`${project}: ${error.message}`);
      });
      const { added, kept, unfit } = imported;
      const say = () =>
        [
          ...added.map((ref) => `+ ${ref}`),
          ...kept.map((ref) => `= ${ref} is something else there: it stays as it is`),
          ...unfit.map(
            (ref) => `! ${ref} cannot be a branch here: use letters, digits and ._+@- in parts separated by /`,
          ),
          ...(added.length === 0 ? ['There is nothing new to take over.'] : []),
        ].join('\n');
      print(imported, say, options);
    });
}

/** How to end where a source does not answer: a path that is not there never will. */
export function refusedSource(url: string | undefined): typeof misused {
  return url === undefined || /^[^/]*:/.test(url) || existsSync(url) ? failed : misused;
}
