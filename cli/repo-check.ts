import type { Command } from 'commander';
import type { Checked } from '../activities/repository/check.ts';
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
  const { problems, checked } = await orRefused(checkRepository(format, { tree, others, ...key }));
  const lines = problems.map(({ kind, subject, message }) => `${kind}: ${subject}: ${message}`);
  const result = lines.length > 0 ? lines : ['no problems'];
  print(
    { ok: problems.length === 0, problems, checked },
    () => [...result, describeChecked(checked)].join('\n'),
    options,
  );
  if (problems.length > 0) throw failed();
}

/** `checked: 28 packages, 3 indexes, signature of KEY`, and what was not. */
function describeChecked({ packages, indexes, signers, unchecked }: Checked): string {
  const counts = [count(packages, 'package', 'packages'), count(indexes, 'index', 'indexes')];
  const signed = signers.length > 0 ? `signature of ${signers.join(' and ')}` : 'no signature';
  const missing = unchecked.map((list) => `not checked: ${list} is named and not there`);
  return [`checked: ${[...counts, signed].join(', ')}`, ...missing].join('\n');
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
