import type { Command } from 'commander';
import { packageChanges } from '../pipelines/mirror/outcome.ts';
import { addCommand, jsonOption } from './command.ts';
import { print } from './output.ts';
import { describe, openRepository } from './repository.ts';

/** Adds `repo diff`. */
export function register(program: Command): void {
  addCommand(program, 'repo diff', {
    examples: ['sluice repo diff ./released ./test --json'],
    details: 'Lists the packages that B has and A has not, and the other way round.',
  })
    .argument('<a>', 'a repository')
    .argument('<b>', 'another one')
    .addOption(jsonOption())
    .action(async (a: string, b: string, options: { readonly json?: boolean }) => {
      const [before, after] = await Promise.all([listOf(a), listOf(b)]);
      const changes = packageChanges(before, after);
      const lines = [
        ...changes.added.map((one) => `+ ${describe(one)}`),
        ...changes.removed.map((one) => `- ${describe(one)}`),
      ];
      print(changes, () => lines.join('\n') || 'no difference', options);
    });
}

async function listOf(dir: string) {
  const { tree, format } = await openRepository(dir);
  const listed = await format.list(tree);
  return listed.map(({ name, version, arch }) => ({ name, version, arch }));
}
