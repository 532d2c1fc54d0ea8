import type { Command } from 'commander';
import type { PackageId } from '../activities/repository/port.ts';
import { addCommand, jsonOption } from './command.ts';
import { failed } from './fault.ts';
import { print } from './output.ts';
import {
  openRepository,
  orRefused,
  renderPublication,
  type SignOptions,
  signerFor,
  signOptions,
} from './repository.ts';

interface Options extends SignOptions {
  readonly json?: boolean;
}

/** Adds `repo remove`. */
export function register(program: Command): void {
  const command = addCommand(program, 'repo remove', {
    examples: ['sluice repo remove ./repo hello', 'sluice repo remove ./repo hello=2.10-3'],
    details: 'Takes packages out of the index. Their files stay a while for clients that have read an older index.',
  })
    .argument('<dir>', 'the repository')
    .argument('<packages...>', 'NAME for every version, or NAME=VERSION')
    .addOption(jsonOption())
    .action(remove);
  for (const option of signOptions('the index, where the repository is signed')) command.addOption(option);
}

async function remove(dir: string, names: readonly string[], options: Options): Promise<void> {
  const { removePackages } = await import('../activities/repository/publish.ts');
  const { tree, format } = await openRepository(dir);
  const listed = await format.list(tree);
  const missing = names.filter((name) => !listed.some((one) => matches(name, one)));
  if (missing.length > 0) throw failed(`not in the repository: ${missing.join(', ')}`);
  const wanted = (one: PackageId) => names.some((name) => matches(name, one));
  const [signing] = await signerFor(options, async () => null);
  const request = { dir, remove: wanted, ...signing, date: new Date() };
  print(await orRefused(removePackages(format, request)), renderPublication, options);
}

function matches(text: string, { name, version }: PackageId): boolean {
  return text === name || text === `${name}=${version}`;
}
