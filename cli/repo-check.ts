import type { Command } from 'commander';
import type { Checked } from '../activities/repository/check.ts';
import { addCommand, append, configOption, jsonOption } from './command.ts';
import { failed } from './fault.ts';
import { print } from './output.ts';
import { withBases } from './repo-base.ts';
import { openRepository, orRefused } from './repository.ts';

interface Options {
  readonly with?: readonly string[];
  readonly key?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds `repo check`. */
export function register(program: Command): void {
  addCommand(program, 'repo check', {
    examples: [
      'sluice repo check ./data/released/deb --with debian-12',
      "sluice repo check ./repo --with 'deb http://archive.example.org/debian bookworm main' --with ./other",
      'sluice repo check ./repo --key archive-key.asc',
    ],
    details:
      'Checks signatures, hashes, that every package can be installed, and that no two bring the same file; the last ' +
      'line says what was verified: packages, indexes, by whom they are signed. Packages may take what they need from ' +
      'the repository itself and from those named by --with: a directory, a URL, a line of a sources.list, or a platform ' +
      'such as debian-12, whose archive is read as this machine reaches it. A line is read with its keys, a URL without.',
  })
    .argument('<dir>', 'the repository')
    .option('--with <repository>', 'where dependencies may also come from; may be repeated', append)
    .addOption(configOption())
    .option('--key <file>', "the key that must have signed it (default: the repository's own)")
    .addOption(jsonOption())
    .action(check);
}

async function check(dir: string, options: Options): Promise<void> {
  const { checkRepository } = await import('../activities/repository/check.ts');
  const { tree, format } = await openRepository(dir);
  const key = options.key === undefined ? {} : { key: options.key };
  const names = options.with ?? [];
  const { problems, warnings, checked } = await withBases({ names, format, tree, config: options.config }, (others) =>
    orRefused(checkRepository(format, { tree, others, ...key })),
  );
  const lines = problems.map(({ kind, subject, message }) => `${kind}: ${subject}: ${message}`);
  const alone = names.length === 0 && problems.some(({ kind }) => kind === 'installability');
  const hint = alone ? ['What comes from elsewhere is named by --with, such as --with debian-12.'] : [];
  const result = lines.length > 0 ? [...lines, ...hint] : ['no problems'];
  print(
    { ok: problems.length === 0, problems, warnings, checked },
    () => [...result, ...warnings.map((text) => `warning: ${text}`), describeChecked(checked)].join('\n'),
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
