import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { PackageFormat } from '../pipelines/model/artifact.ts';
import type { LintReport } from '../pipelines/model/lint.ts';
import { counted } from '../pipelines/report/words.ts';
import { addCommand, configOption, jsonOption } from './command.ts';
import { failed, misused } from './fault.ts';
import { log, print } from './output.ts';
import { choosePlatform, readPlatforms, withEngine } from './platform.ts';

interface Options {
  readonly platform?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds `lint`. */
export function register(program: Command): void {
  addCommand(program, 'lint', {
    examples: ['sluice lint out/*.deb', 'sluice lint out/*.rpm --json'],
    details: 'Runs lintian or rpmlint as the gate does. Every error counts: there is no released version beside it.',
  })
    .argument('<files...>', 'DEB or RPM packages, all of one format')
    .option('--platform <name>', 'whose checker to run (default: the first of the format)')
    .addOption(configOption())
    .option('--embedded', 'check here, whether a server answers or not (as always)')
    .addOption(jsonOption())
    .action(lint);
}

async function lint(files: readonly string[], options: Options): Promise<void> {
  const format = await formatOf(files);
  const platform =
    options.platform === undefined
      ? readPlatforms(options.config).find((each) => each.format === format)
      : choosePlatform(options.platform, options.config);
  if (platform?.format !== format)
    throw misused(`${options.platform ?? 'no platform'} does not check ${format} packages`);
  const { lintByHand } = await import('../infra/by-hand/lint.ts');
  const report = await withEngine(platform, log, (signal) => lintByHand(files, platform, signal));
  print(report, render, options);
  if (report.failures > 0) throw failed(counted(report.failures, 'error'));
}

async function formatOf(files: readonly string[]): Promise<PackageFormat> {
  for (const file of files) {
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) throw misused(`${file}: no such file`);
  }
  const formats = new Set(
    files.map((file) => /\.(?:(u?deb|dsc)|(rpm))$/.exec(file)).map((match) => (match?.[2] ? 'rpm' : match && 'deb')),
  );
  const [format] = formats;
  if (formats.size !== 1 || !format) throw misused('give packages of one format: .deb and .dsc, or .rpm');
  return format;
}

function render({ remarks }: LintReport): string {
  return remarks
    .map(({ package: name, severity, tag, detail }) => `${severity}: ${name}: ${tag} ${detail}`.trimEnd())
    .join('\n');
}
