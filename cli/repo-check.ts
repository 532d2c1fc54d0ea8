import type { Command } from 'commander';
import { addCommand, append, jsonOption } from './command.ts';
import { failed } from './fault.ts';
import { print } from './output.ts';
import { orRefused, shownTree } from './repository.ts';

interface Options {
  readonly with?: readonly string[];
  readonly key?: string;
  readonly json?: boolean;
}

/** Adds `repo check`. */
export function register(program: Command): void {
  addCommand(program, 'repo check', {
    examples: ['sluice repo check ./repo --with /srv/debian', 'sluice repo check ./repo --key archive-key.asc'],
    details: 'Checks signatures, hashes, that every package can be installed, and that no two bring the same file.',
  })
    .argument('<dir>', 'the repository')
    .option('--with <dir>', 'a repository that dependencies may also come from; may be repeated', append)
    .option('--key <file>', "the key that must have signed it (default: the repository's own)")
    .addOption(jsonOption())
    .action(check);
}

async function check(dir: string, options: Options): Promise<void> {
  const { formatOf } = await import('../activities/repository/formats.ts');
  const { checkRepository } = await import('../activities/repository/check.ts');
  const tree = await shownTree(dir);
  const others = await Promise.all((options.with ?? []).map(shownTree));
  const key = options.key === undefined ? {} : { key: options.key };
  const format = await orRefused(formatOf(tree));
  const problems = await orRefused(checkRepository(format, { tree, others, ...key }));
  const lines = problems.map(({ kind, subject, message }) => `${kind}: ${subject}: ${message}`);
  print({ ok: problems.length === 0, problems }, () => lines.join('\n') || 'no problems', options);
  if (problems.length > 0) throw failed();
}
