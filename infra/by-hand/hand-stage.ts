import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { pack } from '../../activities/nodes/pack.ts';
import type { BlobStore, StageContext, StageRunner } from '../../activities/ports.ts';
import { importedNodes } from '../../pipelines/by-hand/import-nodes.ts';
import { answerName, type HandRequest, handWork, outputName } from '../../pipelines/by-hand/request.ts';
import { BadExport } from '../../pipelines/export/description.ts';
import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import { counted } from '../../pipelines/model/words.ts';
import { imagesOnNeed } from '../images/on-need.ts';
import { buildByHand } from './build.ts';
import type { Lend } from './context.ts';
import { readExport, readyImport, rehearseImport, runImport } from './import-plan.ts';
import { installByHand } from './install-test.ts';
import { lintByHand } from './lint.ts';
import { type LinksTaken, receive } from './receive.ts';
import { treeAt } from './source.ts';

export interface HandStageDeps {
  readonly store: BlobStore;
  /** Directory of what is the worker's own: imports are below it. */
  readonly data: string;
  readonly platforms: readonly Platform[];
  /** A repository's URL as nodes reach it. */
  readonly reach: (url: string) => Promise<string>;
  /** Archives that virtual machines reach besides those of their platforms. */
  readonly mirrors: readonly string[];
  /** The workflow that the stage is run for. */
  readonly holder: () => string | undefined;
}

/** What came of a request: `answer` is what the command prints; null where there is nothing but the reason. */
interface Done {
  readonly answer: unknown;
  /** Why it is no success. */
  readonly failed: string | null;
}

interface Work<Kind extends HandRequest['kind']> {
  readonly request: Extract<HandRequest, { kind: Kind }>;
  readonly deps: HandStageDeps & { readonly below: Below };
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

const linksOf: Readonly<Record<HandRequest['kind'], LinksTaken>> = {
  build: 'all',
  lint: 'none',
  'install-test': 'inside',
  import: 'none',
};

/** Errors that say no to what was asked: whoever asked is told, and nothing is tried again. */
const refusals: readonly string[] = ['RepositoryRefusal', 'BadExport', 'RefusedContent'];

const outdated = 'it was asked for by another version of Sluice: ask for it again by the one that runs now';

/** Runs what somebody has asked a server for by hand, in the worker's place of their own machine. */
export function createHandStage(deps: HandStageDeps): StageRunner {
  const own = { ...deps, below: directoriesIn(join(deps.data, 'imports', 'server')) };
  return async (input, context) => {
    const asked = handWork.safeParse(input.vars.hand);
    if (!asked.success) return { result: 'ERROR', summary: outdated, artifacts: [] };
    const { request, content } = asked.data;
    const [given, out] = [join(context.workdir, 'given'), join(context.workdir, 'out')];
    await mkdir(given);
    await mkdir(out);
    const label = input.nodes[0]?.label;
    const platform = deps.platforms.find(({ name }) => name === label);
    const lend: Lend = (_, work) => work(context.lease);
    const onProgress = (line: string) => context.log.write(`${line}\n`);
    const work = { request, deps: own, context, platform, given, out, lend, onProgress };
    const run = async () => {
      const taken = { given, workdir: context.workdir, links: linksOf[request.kind] };
      if (content !== null) await receive(deps.store, { ...taken, digest: content });
      return works[request.kind](work as never);
    };
    const { answer, failed } = await run().catch((error: Error) => {
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
  const { result: came, summary } = result;
  const well = came === 'SUCCESS' || came === 'SKIPPED';
  const answer = { ...result, log: join('logs', 'build.log') };
  return { answer, failed: well ? null : came === 'FAILURE' ? summary : `${came}: ${summary}` };
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

async function runExport({ request, deps, context, given, out, onProgress }: Work<'import'>): Promise<Done> {
  const { data, platforms, mirrors, below } = deps;
  const into = { data, platforms, mirrors, holder: deps.holder(), secrets: new Map() };
  const ready = await readyImport(await readExport(given), into);
  if (request.dryRun) return { answer: await rehearseImport(ready), failed: null };
  // By what was said it has been lent its nodes.
  const { stored, description } = ready.of;
  if (!isDeepStrictEqual(importedNodes(stored.graph, description.jobs), request.jobs))
    throw new BadExport('its jobs have other nodes than were asked for it: import it by the sluice of this version');
  const prepare = imagesOnNeed(onProgress);
  for (const platform of ready.needed) if (providerOf(platform) === 'docker') await prepare(platform);
  const { signal } = context;
  return below(async (imports) => {
    const result = await runImport(ready, { slots: 1, keep: false, signal, onProgress, imports });
    await cp(result.directory, out, { recursive: true });
    return { answer: { ...result, directory: outputName }, failed: result.same ? null : 'not the same' };
  });
}

type Below = <T>(work: (directory: string) => Promise<T>) => Promise<T>;

/** Gives each import a directory of its own, which goes with it. */
function directoriesIn(root: string): Below {
  const used = new Set<string>();
  return async (work) => {
    const name = randomBytes(6).toString('hex');
    used.add(name);
    const remove = (each: string) => rm(join(root, each), { recursive: true, force: true, maxRetries: 3 });
    try {
      // What a worker that was killed has left, keys above all.
      const left = (await readdir(root).catch(() => [])).filter((each) => !used.has(each));
      await Promise.all(left.map(remove));
      return await work(join(root, name));
    } finally {
      await remove(name);
      used.delete(name);
    }
  };
}
