import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { PackageFormat } from '../pipelines/model/artifact.ts';
import type { LintReport } from '../pipelines/model/lint.ts';
import { counted } from '../pipelines/model/words.ts';
import type { ApiClient } from './client.ts';
import { addCommand } from './command.ts';
import { failed, misused } from './fault.ts';
import { log, print } from './output.ts';
import { choosePlatform, readPlatforms, withEngine } from './platform.ts';
import { addServerOrStackOptions, findServer, type ServerOrStackOptions } from './server-or-stack.ts';

interface Options extends ServerOrStackOptions {
  readonly platform?: string;
}

/** Adds `lint`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'lint', {
      examples: ['sluice lint out/*.deb', 'sluice lint out/*.deb out/*.dpkg-*', 'sluice lint out/*.rpm --json'],
      details:
        'Runs lintian or rpmlint as the gate does. Every error counts: there is no released version beside it. What a ' +
        'build put beside its packages may be given, too: warnings of dpkg, overrides, the parts of a source package.',
    }),
  )
    .argument('<files...>', 'DEB or RPM packages, all of one format, with what the build put beside them')
    .option('--platform <name>', 'whose checker to run (default: the first of the format)')
    .action(lint);
}

async function lint(files: readonly string[], options: Options): Promise<void> {
  const format = await formatOf(files);
  const server = await findServer(options);
  const report =
    server === undefined ? await lintHere(files, format, options) : await lintThere(server, { files, format, options });
  print(report, render, options);
  if (report.failures > 0) throw failed(counted(report.failures, 'error'));
}

async function lintHere(files: readonly string[], format: PackageFormat, options: Options): Promise<LintReport> {
  const platform =
    options.platform === undefined
      ? readPlatforms(options.config).find((each) => each.format === format)
      : choosePlatform(options.platform, options.config);
  if (platform?.format !== format)
    throw misused(`${options.platform ?? 'no platform'} does not check ${format} packages`);
  const { lintByHand } = await import('../infra/by-hand/lint.ts');
  return withEngine([platform], log, (signal) => lintByHand({ paths: files, platform, signal }));
}

interface Sent {
  readonly files: readonly string[];
  readonly format: PackageFormat;
  readonly options: Options;
}

async function lintThere(server: ApiClient, { files, format, options }: Sent): Promise<LintReport> {
  const { makeTemporary } = await import('../activities/process/temporary.ts');
  const { workAtServer } = await import('./at-server.ts');
  const workdir = await makeTemporary('sluice-lint');
  try {
    const send = join(workdir, 'packages');
    await mkdir(send);
    for (const file of files) await copyFile(file, join(send, basename(file)));
    const platform = options.platform === undefined ? {} : { platform: options.platform };
    const { answer } = await workAtServer<LintReport>(server, { request: { kind: 'lint', format, ...platform }, send });
    return answer;
  } finally {
    await rm(workdir, { recursive: true, force: true });
  }
}

async function formatOf(files: readonly string[]): Promise<PackageFormat> {
  for (const file of files) {
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) throw misused(`${file}: no such file`);
  }
  const other = files.find((file) => !formatOfName(file));
  if (other !== undefined) throw misused(`${other}: no package, and nothing that belongs to one`);
  const twice = files.find((file, at) => files.findIndex((one) => basename(one) === basename(file)) !== at);
  if (twice !== undefined)
    throw misused(`${basename(twice)} is given twice: check files of one name one after another`);
  const formats = new Set(files.map(formatOfName));
  const [format] = formats;
  if (formats.size !== 1 || !format || !files.some((file) => packageName.test(file)))
    throw misused('give packages of one format: .deb and .dsc, or .rpm');
  return format;
}

const packageName = /\.(?:u?deb|dsc|rpm)$/;

/** By its ending; a source package's parts, and what was warned of and accepted, belong to the packages of a format. */
function formatOfName(file: string): PackageFormat | null {
  if (/\.(?:rpm|rpmlintrc)$/.test(file)) return 'rpm';
  return /\.(?:u?deb|dsc|dpkg-warnings|dpkg-overrides|changes|buildinfo|tar\.\w+|diff\.gz)$/.test(file) ? 'deb' : null;
}

function render({ remarks }: LintReport): string {
  return remarks
    .map(({ package: name, severity, tag, detail }) => `${severity}: ${name}: ${tag} ${detail}`.trimEnd())
    .join('\n');
}
