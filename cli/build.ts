import type { Command } from 'commander';
import type { HandBuildResult } from '../infra/by-hand/build.ts';
import { addCommand, configOption, jsonOption } from './command.ts';
import { failed, misused } from './fault.ts';
import { duration, log, print } from './output.ts';
import { choosePlatform, withEngine } from './platform.ts';

interface Options {
  readonly ref?: string;
  readonly platform: string;
  readonly out: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds `build`. */
export function register(program: Command): void {
  addCommand(program, 'build', {
    examples: [
      'sluice build . --platform debian-12 --out out',
      'sluice build https://git.example.org/tinycdb.git --ref main --platform rpm-debian-12',
    ],
    details: `Into the output directory: the packages, logs/STAGE.log, lint.json, junit.xml and NAME.intoto.jsonl.
A directory without Git history has the version that it names itself.`,
  })
    .argument('<source>', 'an unpacked source tree, or the URL of a Git repository')
    .option('--ref <ref>', 'branch, tag or commit to build (default: what is checked out)')
    .requiredOption('--platform <name>', 'where to build, for example debian-12 or rpm-debian-12')
    .option('--out <directory>', 'where the results go', 'out')
    .addOption(configOption())
    .option('--embedded', 'build here, whether a server answers or not (as always)')
    .addOption(jsonOption())
    .action(build);
}

async function build(location: string, options: Options): Promise<void> {
  const platform = choosePlatform(options.platform, options.config);
  const { buildByHand } = await import('../infra/by-hand/build.ts');
  const { NoSource } = await import('../infra/by-hand/source.ts');
  const start = Date.now();
  const onProgress = (line: string) => log(`[${duration((Date.now() - start) / 1000)}] ${line}`);
  const ref = options.ref === undefined ? {} : { ref: options.ref };
  const result = await withEngine([platform], onProgress, (signal) =>
    buildByHand({ location, ...ref, platform, out: options.out, signal, onProgress }),
  ).catch((error: unknown) => {
    throw error instanceof NoSource ? misused(error.message) : error;
  });
  print(result, render, options);
  if (result.result === 'SKIPPED') log(result.summary);
  else if (result.result !== 'SUCCESS') throw failed(`${result.result}: ${result.summary} (see ${result.log})`);
}

function render({ name, version, files, lint }: HandBuildResult): string {
  if (name === null) return '';
  return [`${name} ${version}`, ...files.map((file) => `  ${file}`), `lint: ${lint?.summary ?? 'not run'}`].join('\n');
}
