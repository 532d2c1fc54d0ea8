import { existsSync } from 'node:fs';
import { access, constants, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { systemReason } from '../activities/files/system-reason.ts';
import type { HandBuildResult } from '../infra/by-hand/build.ts';
import type { HandSource } from '../infra/by-hand/source.ts';
import type { ApiClient } from './client.ts';
import { addCommand } from './command.ts';
import { failed, misused } from './fault.ts';
import { duration, log, print } from './output.ts';
import { choosePlatform, withEngine } from './platform.ts';
import { addServerOrStackOptions, findServer, type ServerOrStackOptions } from './server-or-stack.ts';

interface Options extends ServerOrStackOptions {
  readonly ref?: string;
  readonly platform: string;
  readonly out: string;
}

/** Adds `build`. */
export function register(program: Command): void {
  addServerOrStackOptions(
    addCommand(program, 'build', {
      examples: [
        'sluice build . --platform debian-12 --out out',
        'sluice build https://git.example.org/tinycdb.git --ref main --platform rpm-debian-12',
      ],
      details: `Into the output directory: the packages, logs/STAGE.log, lint.json, junit.xml and NAME.intoto.jsonl.
A directory without Git history has the version that it names itself. A server's
workers build what is sent to them; a URL is cloned here.`,
    }),
  )
    .argument('<source>', 'an unpacked source tree, or the URL of a Git repository')
    .option('--ref <ref>', 'branch, tag or commit to build (default: what is checked out)')
    .requiredOption('--platform <name>', 'where to build, for example debian-12 or rpm-debian-12')
    .option('--out <directory>', 'where the results go', 'out')
    .action(build);
}

async function build(location: string, options: Options): Promise<void> {
  await requireRoom(options.out);
  const server = await findServer(options);
  const { findSource, NoSource } = await import('../infra/by-hand/source.ts');
  const source = (workdir: string) => findSource(location, options.ref, workdir);
  const work = server === undefined ? buildHere(source, options) : buildThere(server, source, options);
  const result = await work.catch((error: unknown) => {
    throw error instanceof NoSource ? misused(error.message) : error;
  });
  print(result, render, options);
  if (result.result === 'SKIPPED') log(result.summary);
  else if (result.result !== 'SUCCESS') throw failed(`${result.result}: ${result.summary} (see ${result.log})`);
}

/** @throws CommandError 2 for a place where no directory can be: known before anything is built */
async function requireRoom(out: string): Promise<void> {
  let place = resolve(out);
  while (!existsSync(place)) place = dirname(place);
  if (!(await stat(place)).isDirectory()) throw misused(`--out: ${place} is not a directory`);
  await access(place, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    throw misused(`--out: ${place} cannot be written to: ${systemReason(error)}`);
  });
}

type FindSource = (workdir: string) => Promise<HandSource>;

async function buildHere(source: FindSource, { out, ...options }: Options): Promise<HandBuildResult> {
  const platform = choosePlatform(options.platform, options.config);
  const { buildByHand } = await import('../infra/by-hand/build.ts');
  const start = Date.now();
  const onProgress = (line: string) => log(`[${duration((Date.now() - start) / 1000)}] ${line}`);
  return withEngine([platform], onProgress, (signal) => buildByHand({ source, platform, out, signal, onProgress }));
}

/** Sends the tree that is to be built, whole. */
async function buildThere(server: ApiClient, source: FindSource, { platform, out }: Options): Promise<HandBuildResult> {
  const { makeTemporary } = await import('../activities/process/temporary.ts');
  const { workAtServer } = await import('./at-server.ts');
  const workdir = await makeTemporary('sluice-build');
  try {
    const found = await source(workdir);
    for (const note of found.notes) log(note);
    const send = join(workdir, 'tree');
    const modules = await found.tree(found.state, send, AbortSignal.any([]));
    const request = { kind: 'build', platform, source: found.state, modules } as const;
    const { answer } = await workAtServer<HandBuildResult>(server, { request, send, out });
    return { ...answer, log: join(out, answer.log) };
  } finally {
    await rm(workdir, { recursive: true, force: true });
  }
}

function render({ name, version, files, lint }: HandBuildResult): string {
  if (name === null) return '';
  return [`${name} ${version}`, ...files.map((file) => `  ${file}`), `lint: ${lint?.summary ?? 'not run'}`].join('\n');
}
