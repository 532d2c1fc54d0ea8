import type { Command } from 'commander';
import type { RepositoryFormat } from '../activities/repository/port.ts';
import { addCommand, jsonOption } from './command.ts';
import { addExtraOptions, type ExtraOptions, wishOf } from './extras.ts';
import { print, table } from './output.ts';
import {
  openRepository,
  orRefused,
  renderPublication,
  type SignOptions,
  signerFor,
  signOptions,
} from './repository.ts';

interface Options extends SignOptions, ExtraOptions {
  readonly json?: boolean;
}

/** Adds `repo metadata`. */
export function register(program: Command): void {
  const command = addCommand(program, 'repo metadata', {
    examples: [
      'sluice repo metadata ./repo',
      'sluice repo metadata ./repo --updateinfo updateinfo.xml --comps comps.xml.gz --modules modules.yaml',
      'sluice repo metadata ./repo --remove modules --sign packager@example.org',
    ],
    details:
      'Gives an RPM repository advisories, groups of packages or modules, in the place of those that it has; without ' +
      'any of the options says which it has. They stay with what is published later. What they say of packages that ' +
      'are not there is told. Released repositories are given theirs by `sluice release metadata`.',
  })
    .argument('<dir>', 'the repository')
    .addOption(jsonOption())
    .action(give);
  addExtraOptions(command);
  for (const option of signOptions('the index, where the repository is signed')) command.addOption(option);
}

async function give(dir: string, options: Options): Promise<void> {
  const { tree, format } = await openRepository(dir);
  const extras = await orRefused(wishOf(options));
  if (extras.given.length + extras.remove.length === 0) return show(format, tree, options);
  const { describePackages } = await import('../activities/repository/publish.ts');
  const [signing] = await signerFor(options, async () => null);
  const request = { dir, extras, ...signing, date: new Date() };
  print(await orRefused(describePackages(format, request)), renderPublication, options);
}

async function show(format: RepositoryFormat, tree: string, options: Options): Promise<void> {
  const { keptExtras } = await import('../activities/repository/extras.ts');
  const found = await orRefused(keptExtras(format, tree));
  const metadata = found.map(({ kind, path }) => ({ kind, path }));
  const rows = metadata.map(({ kind, path }) => [kind, path]);
  print({ metadata }, () => (rows.length === 0 ? 'none' : table(['KIND', 'FILE'], rows)), options);
}
