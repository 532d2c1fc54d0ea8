import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { checked } from '../activities/repository/names.ts';
import type { PackageFormat } from '../pipelines/model/artifact.ts';
import type { DebugPlace } from '../pipelines/model/release-line.ts';
import { addCommand, append, jsonOption } from './command.ts';
import { misused } from './fault.ts';
import { requireFile } from './given-file.ts';
import { print } from './output.ts';
import { orRefused, renderPublication, type SignOptions, shownTree, signerFor, signOptions } from './repository.ts';

interface Options extends SignOptions {
  readonly format: PackageFormat;
  readonly codename?: string;
  readonly arch?: readonly string[];
  readonly origin?: string;
  readonly base?: string;
  readonly keep?: number;
  readonly allowDowngrade?: boolean;
  readonly debug?: DebugPlace;
  readonly json?: boolean;
}

/** Adds `repo publish`. */
export function register(program: Command): void {
  const command = addCommand(program, 'repo publish', {
    examples: [
      'sluice repo publish ./repo --format deb --codename bookworm hello_2.10-3_amd64.deb',
      'sluice repo publish ./repo --format rpm --sign packager@example.org *.rpm',
    ],
    details: 'Adds packages to the repository at DIR. Readers see the old state or the new one, whole.',
  })
    .argument('<dir>', 'the repository; made when absent')
    .argument('[files...]', 'packages: .deb, .dsc with its tarballs beside it, .rpm')
    .addOption(new Option('--format <format>', 'kind of packages').choices(['deb', 'rpm']).makeOptionMandatory())
    .option('--codename <name>', 'name of the APT distribution; needed for a new one', valid('codename'))
    .option(
      '--arch <arch>',
      'an APT architecture besides those of the packages; may be repeated',
      (arch, before?: readonly string[]) => append(valid('architecture')(arch), before),
    )
    .option('--origin <text>', 'who the repository says it is from', valid('origin'))
    .option('--base <dir>', 'a repository whose packages the new state also has')
    .option(
      '--keep <n>',
      'of each package that comes, the index names the N newest versions; without files: of all',
      count,
    )
    .addOption(
      new Option('--debug <place>', 'debug packages in the lists of all others, or in lists of their own').choices([
        'together',
        'separate',
      ]),
    )
    .option('--allow-downgrade', 'take packages of which a newer version is there')
    .addOption(jsonOption())
    .action(publish);
  for (const option of signOptions('the index, and for RPM packages')) command.addOption(option);
}

function valid(kind: 'codename' | 'architecture' | 'origin'): (text: string) => string {
  return (text) => {
    try {
      return checked(kind, text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

function count(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 1000)
    throw new InvalidArgumentError('Give a number from 1 to 1000.');
  return number;
}

/** Only the one that is needed: the command starts sooner. */
const adapters = {
  deb: async () => (await import('../activities/repository/deb/adapter.ts')).debRepository,
  rpm: async () => (await import('../activities/repository/rpm/adapter.ts')).rpmRepository,
};

async function publish(dir: string, files: readonly string[], options: Options): Promise<void> {
  const { format, codename, arch, origin, base, keep, debug, allowDowngrade: downgrade = false } = options;
  if (files.length === 0 && [base, keep, debug, options.sign].every((given) => given === undefined)) {
    throw misused('give packages, --base, --keep, --debug, or with --sign a repository to sign anew');
  }
  if (format === 'deb' && codename === undefined && base === undefined && !existsSync(dir)) {
    throw misused('a new APT repository needs the name of its distribution: give --codename');
  }
  for (const file of files) await requireFile(file);
  const [signing, [repository, { publishPackages }, { judgeVersions }]] = await signerFor(options, () =>
    Promise.all([
      adapters[format](),
      import('../activities/repository/publish.ts'),
      import('../activities/repository/judge.ts'),
    ]),
  );
  const judge = judgeVersions(format, { downgrade, ...(keep === undefined ? {} : { keep }) });
  const settings = {
    ...(codename === undefined || format === 'rpm' ? {} : { codename }),
    ...(arch === undefined || format === 'rpm' ? {} : { architectures: arch }),
    ...(origin === undefined ? {} : { origin }),
    ...(debug === undefined ? {} : { debug: debug === 'separate' }),
  };
  const start = base === undefined ? {} : { base: await shownTree(base) };
  const request = { dir, files, settings, ...start, judge, ...signing, date: new Date() };
  print(await orRefused(publishPackages(repository, request)), renderPublication, options);
}
