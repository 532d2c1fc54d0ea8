import type { Command } from 'commander';
import { addCommand, jsonOption } from './command.ts';
import { print, table } from './output.ts';
import { openRepository } from './repository.ts';

/** Adds `repo list`. */
export function register(program: Command): void {
  addCommand(program, 'repo list', { examples: ['sluice repo list ./repo --json'] })
    .argument('<dir>', 'the repository')
    .addOption(jsonOption())
    .action(async (dir: string, options: { readonly json?: boolean }) => {
      const { tree, format } = await openRepository(dir);
      const [{ origin, codename }, listed] = await Promise.all([format.settings(tree), format.list(tree)]);
      const packages = listed.map(({ parts: _, ...one }) => one).sort((a, b) => (a.path < b.path ? -1 : 1));
      const rows = packages.map(({ name, version, arch, path }) => [name, version, arch, path]);
      const data = { format: format.id, origin, codename, packages };
      print(data, () => table(['NAME', 'VERSION', 'ARCH', 'FILE'], rows), options);
    });
}
