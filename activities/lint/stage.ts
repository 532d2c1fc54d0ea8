import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type PackageFile, type PackagesMetadata, packagesOf } from '../../pipelines/model/artifact.ts';
import { boundedComments } from '../../pipelines/model/line-comment.ts';
import { compareRemarks, type LintRemark, type LintReport } from '../../pipelines/model/lint.ts';
import { type Platform, slownessOf } from '../../pipelines/model/platform.ts';
import { andMore, counted } from '../../pipelines/model/words.ts';
import { lintComments } from '../../pipelines/report/findings.ts';
import { junitXml, type TestCase } from '../../pipelines/report/junit.ts';
import type { ReleasedGenerations, StageInput, StageResult } from '../../workflows/contract.ts';
import type { Machine } from '../nodes/port.ts';
import type { BlobStore, StageContext, StageRunner } from '../ports.ts';
import { readManifest } from '../storage/manifest.ts';
import { type Checker, checkers } from './checkers.ts';
import { explainUnread } from './unread.ts';
import { readWarnings, releasedWarnings } from './warnings.ts';

/** Brings the files of the released version of a package into a directory; those that are there already stay. */
export type ReleasedFiles = (wanted: ReleasedPackage, directory: string) => Promise<void>;

export interface ReleasedPackage {
  readonly platform: Platform;
  readonly name: string;
  /** The branch that the job is about. */
  readonly branch: string;
  /** What the job sees of released repositories; absent: what is shown now. */
  readonly seen?: ReleasedGenerations | undefined;
}

export interface LintStageDeps {
  readonly store: BlobStore;
  /** @throws when no platform has that name. */
  readonly platform: (label: string) => Platform;
  readonly releasedFiles: ReleasedFiles;
}

/** Milliseconds for one run of a checker. */
const patience = 600_000;
const places = { built: '/tmp/built', released: '/tmp/released', settings: '/tmp/settings.toml' } as const;

/** Checks what a build made with the format's own checker; errors that the released version has too do not count. */
export function createLintStage(deps: LintStageDeps): StageRunner {
  return async (input, context) => {
    const label = input.nodes[0]?.label;
    const built = label === undefined ? [] : builtOn(label, packagesOf(input.parents));
    if (built.length === 0 || label === undefined) {
      return { result: 'FAILURE', summary: 'no job before this one built packages', artifacts: [] };
    }
    const platform = deps.platform(label);
    const files: PackageFile[] = [];
    for (const { manifest } of built) {
      files.push(...(await readManifest(deps.store, manifest)).files);
    }
    const folder = await mkdtemp(join(context.workdir, 'built-'));
    for (const { digest, name } of files) await deps.store.fetch(digest, join(folder, basename(name)));
    const released = await gatherReleased(deps, { ...{ platform, files, context }, job: input });
    const report = await lintFiles({ platform, folder, released, context });
    return verdict(deps.store, report);
  };
}

/** What was built on the platform itself, where something was: another's files have the same names. */
function builtOn(label: string, built: readonly PackagesMetadata[]): readonly PackagesMetadata[] {
  const exact = built.filter(({ platform }) => platform === label);
  return exact.length > 0 ? exact : built;
}

interface Gathering extends Pick<LintWork, 'platform' | 'context'> {
  readonly files: readonly PackageFile[];
  readonly job: Pick<StageInput, 'build' | 'released'>;
}

async function gatherReleased(deps: LintStageDeps, { platform, files, context, job }: Gathering): Promise<string> {
  const folder = await mkdtemp(join(context.workdir, 'released-'));
  const names = files.filter(({ kind }) => kind !== 'debug' && kind !== 'metadata').map((file) => file.package);
  const seen = { branch: job.build.branch, seen: job.released };
  for (const name of new Set(names)) await deps.releasedFiles({ platform, name, ...seen }, folder);
  return folder;
}

export interface LintWork {
  readonly platform: Platform;
  /** A directory with the files to check. */
  readonly folder: string;
  /** A directory with files of the released version; empty when there is none. */
  readonly released: string;
  readonly context: StageContext;
}

/** Runs the checker on both directories. @throws when the checker itself fails. */
export async function lintFiles({ platform, context, ...work }: LintWork): Promise<LintReport> {
  const machine = await context.lease.machine({ name: 'checker', platform, kind: 'builder', network: 'none' });
  const checker = checkers[platform.format];
  await mkdir(join(work.folder, '..', 'settings'), { recursive: true });
  const settings = join(work.folder, '..', 'settings', basename(places.settings));
  await writeFile(settings, checker.configuration);
  await machine.put(settings, '/tmp');
  const timeout = patience * slownessOf(platform);
  const run = (from: string, to: string) => check(machine, { checker, from, to, context, timeout });
  const built = await run(work.folder, places.built);
  context.log.section('The released version, for comparison');
  const released = await run(work.released, places.released);
  const warned = await readWarnings(work.folder);
  const before = await releasedWarnings(machine, warned, { place: places.released, signal: context.signal });
  const what = { format: platform.format, platform: platform.name };
  // A file that cannot be read is no better for being released.
  return compareRemarks(what, [...built.unread, ...built.remarks, ...warned], [...released.remarks, ...before]);
}

interface Check {
  readonly checker: Checker;
  readonly from: string;
  readonly to: string;
  readonly context: StageContext;
  /** Milliseconds. */
  readonly timeout: number;
}

interface Checked {
  readonly remarks: readonly LintRemark[];
  /** Files that were handed over and could not be read. */
  readonly unread: readonly LintRemark[];
}

async function check(machine: Machine, { checker, from, to, context, timeout }: Check): Promise<Checked> {
  const { signal, log } = context;
  await machine.exec(['mkdir', '-p', to], { signal });
  await machine.put(from, to);
  const listed = await machine.exec(['ls', '-1', to], { signal });
  let names = listed.output.split('\n').filter((name) => checker.checks(name) || name.endsWith('.rpmlintrc'));
  const options = {
    cwd: to,
    user: checker.user,
    env: { LC_ALL: 'C.UTF-8', HOME: '/tmp' },
    signal,
    log,
    timeout,
  };
  const unread: LintRemark[] = [];
  while (names.some(checker.checks)) {
    const { code, output } = await machine.exec(checker.argv(names, places.settings), options);
    const unreadable = checker.unread(output).filter((remark) => names.includes(remark.package));
    const passedOver = await Promise.all(unreadable.map((remark) => explainUnread(remark, from)));
    if (checker.finished(code, output)) {
      return { remarks: checker.parse(output), unread: [...unread, ...passedOver] };
    }
    const left = names.filter((name) => !passedOver.some((remark) => remark.package === name));
    if (left.length === names.length) {
      throw new Error(`the checker ended with ${code}: ${output.trim().split('\n').pop()}`);
    }
    // It was stopped by a file that it cannot read: the others are still to be looked at.
    unread.push(...passedOver);
    names = left;
  }
  return { remarks: [], unread };
}

async function verdict(store: BlobStore, report: LintReport): Promise<StageResult> {
  const [json, junit] = await Promise.all([
    store.put(`${JSON.stringify(report, null, 2)}\n`),
    store.put(junitXml(lintCases(report))),
  ]);
  const artifacts = [
    { name: 'lint.json', url: store.url(json.digest, 'lint.json') },
    { name: 'junit.xml', url: store.url(junit.digest, 'junit.xml') },
  ];
  const result = report.failures > 0 ? 'FAILURE' : 'SUCCESS';
  const comments = boundedComments(lintComments(report));
  return { result, summary: lintSummary(report), artifacts, ...(comments.length > 0 && { comments }) };
}

/** One line: the first new error, or how little there is to say. */
export function lintSummary({ remarks, failures }: LintReport): string {
  const first = remarks.find((remark) => remark.new && remark.severity === 'error');
  const count = (severity: LintRemark['severity']) => remarks.filter((remark) => remark.severity === severity).length;
  if (first === undefined) return `no new errors (${count('error')} known, ${counted(count('warning'), 'warning')})`;
  return `${first.package}: ${first.tag} ${first.detail}`.trim() + andMore(failures);
}

/** A test for each package, failed by its new errors. */
export function lintCases({ platform, remarks }: LintReport): readonly TestCase[] {
  const suite = `lint ${platform}`;
  const packages = [...new Set(remarks.map((remark) => remark.package))];
  const cases = packages.map((name) => {
    const errors = remarks.filter((each) => each.package === name && each.new && each.severity === 'error');
    const text = errors.map(({ tag, detail }) => `${tag} ${detail}`.trim()).join('\n');
    const one = { suite, name, seconds: 0 };
    return errors.length === 0 ? one : { ...one, failure: { message: text.split('\n')[0] ?? '', text } };
  });
  return cases.length > 0 ? cases : [{ suite, name: 'all packages', seconds: 0 }];
}
