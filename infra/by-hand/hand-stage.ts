import { createWriteStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from '../../activities/nodes/pack.ts';
import type { BlobStore, StageContext, StageRunner } from '../../activities/ports.ts';
import { must } from '../../activities/process/run.ts';
import { answerName, type HandRequest, handWork, outputName } from '../../pipelines/by-hand/request.ts';
import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import { counted } from '../../pipelines/report/words.ts';
import { imagesOnNeed } from '../images/on-need.ts';
import { buildByHand } from './build.ts';
import type { Lend } from './context.ts';
import { readExport, readyImport, rehearseImport, runImport } from './import-plan.ts';
import { installByHand } from './install-test.ts';
import { lintByHand } from './lint.ts';
import { treeAt } from './source.ts';

export interface HandStageDeps {
  readonly store: BlobStore;
  /** Directory of what is the worker's own: imports are below it. */
  readonly data: string;
  readonly platforms: readonly Platform[];
  /** A repository's URL as nodes reach it. */
  readonly reach: (url: string) => Promise<string>;
}

/** What came of a request: `answer` is what the command prints; null where there is nothing but the reason. */
interface Done {
  readonly answer: unknown;
  /** Why it is no success. */
  readonly failed: string | null;
}

interface Work<Kind extends HandRequest['kind']> {
  readonly request: Extract<HandRequest, { kind: Kind }>;
  readonly deps: HandStageDeps;
  readonly context: StageContext;
  readonly platform: Platform;
  /** What came along. */
  readonly given: string;
  /** What is left here goes back. */
  readonly out: string;
  readonly lend: Lend;
  readonly onProgress: (line: string) => void;
}

const works: { readonly [Kind in HandRequest['kind']]: (work: Work<Kind>) => Promise<Done> } = {
  build,
  lint,
  'install-test': installTest,
  import: runExport,
};

/** Errors that say no to what was asked: whoever asked is told, and nothing is tried again. */
const refusals: readonly string[] = ['RepositoryRefusal', 'BadExport'];

/** Runs what somebody has asked a server for by hand, in the worker's place of their own machine. */
export function createHandStage(deps: HandStageDeps): StageRunner {
  return async (input, context) => {
    const { request, content } = handWork.parse(input.vars.hand);
    const [given, out] = [join(context.workdir, 'given'), join(context.workdir, 'out')];
    await mkdir(given);
    await mkdir(out);
    if (content !== null) await receive(deps.store, content, { given, workdir: context.workdir });
    const label = input.nodes[0]?.label;
    const platform = deps.platforms.find(({ name }) => name === label);
    const lend: Lend = (_, work) => work(context.lease);
    const onProgress = (line: string) => context.log.write(`${line}\n`);
    const work = { request, deps, context, platform, given, out, lend, onProgress };
    const { answer, failed } = await works[request.kind](work as never).catch((error: Error) => {
      if (!refusals.includes(error.name)) throw error;
      return { answer: null, failed: error.message.replaceAll(given, calledOf(request)) };
    });
    if (answer !== null) await writeFile(join(out, answerName), JSON.stringify(answer));
    const artifacts = (await readdir(out)).length === 0 ? [] : [await send(deps.store, context.workdir)];
    if (failed !== null) return { result: 'FAILURE', summary: failed, artifacts };
    return { result: 'SUCCESS', summary: `${request.kind} by hand: done`, artifacts };
  };
}

function calledOf(request: HandRequest): string {
  return request.kind === 'install-test' ? request.repository : 'what was sent';
}

/** Who sent it may act here in any case: tar itself lets nothing lead out of the directory. */
async function receive(store: BlobStore, digest: string, to: { readonly given: string; readonly workdir: string }) {
  const archive = join(to.workdir, 'given.tar');
  await store.fetch(digest, archive);
  await must('tar', ['--no-same-owner', '-C', to.given, '-xf', archive]);
}

async function send(store: BlobStore, workdir: string) {
  const file = join(workdir, outputName);
  const { archive, ended } = await pack(join(workdir, 'out'));
  await Promise.all([pipeline(archive, createWriteStream(file)), ended]);
  const { digest } = await store.put({ path: file });
  return { name: outputName, url: store.url(digest, outputName) };
}

async function build({ request, context, given, out, ...work }: Work<'build'>): Promise<Done> {
  const state = request.source;
  const source = async () => ({ state, tree: treeAt(given, request.modules), notes: [] });
  const result = await buildByHand({ ...work, source, out, signal: context.signal });
  const well = result.result === 'SUCCESS' || result.result === 'SKIPPED';
  const answer = { ...result, log: join('logs', 'build.log') };
  return { answer, failed: well ? null : `${result.result}: ${result.summary}` };
}

async function lint({ context, given, platform, lend }: Work<'lint'>): Promise<Done> {
  const paths = (await readdir(given)).map((name) => join(given, name));
  const answer = await lintByHand({ paths, platform, lend, signal: context.signal });
  return { answer, failed: answer.failures > 0 ? counted(answer.failures, 'error') : null };
}

async function installTest({ request, deps, context, given, ...work }: Work<'install-test'>): Promise<Done> {
  const { packages, timeout } = request;
  const repository = request.sent ? given : await deps.reach(request.repository);
  const reports = await installByHand({ ...work, repository, packages, timeout, signal: context.signal });
  const bad = reports.find(({ steps }) => steps.some(({ problem }) => problem !== null));
  return { answer: { packages: reports }, failed: bad === undefined ? null : `${bad.package} failed` };
}

async function runExport({ request, deps, context, given, onProgress }: Work<'import'>): Promise<Done> {
  const { data, platforms } = deps;
  const ready = await readyImport(await readExport(given), { data, platforms, secrets: new Map() });
  if (request.dryRun) return { answer: await rehearseImport(ready), failed: null };
  const prepare = imagesOnNeed(onProgress);
  for (const platform of ready.needed) if (providerOf(platform) === 'docker') await prepare(platform);
  const { signal } = context;
  const result = await runImport(ready, { slots: 1, keep: request.keep, signal, onProgress });
  return { answer: result, failed: result.same ? null : 'not the same' };
}
