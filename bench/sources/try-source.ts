import { mkdir, rm, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { labelOf, testsFor } from '../../activities/install/autopkgtest.ts';
import { sourceFiles } from '../../activities/install/exercise.ts';
import type { LintRemark } from '../../pipelines/model/lint.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { StageWorld } from '../../test/activities/install/stage.ts';
import type { SourceArchive } from './archive.ts';
import { compareErrors, comparePackages, otherContents, plainText } from './compare.ts';
import type { ListedSource } from './list.ts';
import { type BuiltPackage, readPackages } from './packages.ts';
import { buildAlone, installAlone, lintAlone, type PeerBuild, type PeerTest } from './peer.ts';
import { importSource } from './repository.ts';
import { buildSource, runStages, type SluiceRun, type StageEnd, type StageName } from './stages.ts';

/** What came of one source. Times in seconds. */
export interface SourceResult {
  readonly name: string;
  readonly version: string;
  readonly format: string;
  readonly tags: readonly string[];
  /** Whether all ended as Debian's own build does. */
  readonly same: boolean;
  /** Why not: one line for each difference. */
  readonly differences: readonly string[];
  /** Stages that failed as Debian's own tools do: one line each. */
  readonly shared: readonly string[];
  readonly stages: Readonly<Partial<Record<StageName, StageEnd>>>;
  readonly packages: number;
  /** Files whose content differs, as the time and the version of the build do. */
  readonly otherContents: readonly string[];
  readonly times: {
    readonly first: 'sluice' | 'debian';
    readonly sluice: number;
    readonly debian: number;
    /** Of Debian's, what APT took. */
    readonly dependencies: number;
    /** Of the machine, as each began. */
    readonly load: readonly number[];
  };
}

export interface Trial {
  readonly world: StageWorld;
  readonly archive: SourceArchive;
  readonly platform: Platform;
  /** Of this source alone. */
  readonly directory: string;
  /** Which of both goes first. */
  readonly first: 'sluice' | 'debian';
}

/**
 * Builds one source with Sluice and with Debian's own tools, one after the other.
 *
 * @returns the rest of its way, which is not timed: it may go on beside the next source's builds.
 * @throws for one that cannot be had.
 */
export async function trySource(source: ListedSource, trial: Trial): Promise<() => Promise<SourceResult>> {
  const { world, archive, platform, directory, first } = trial;
  const description = await archive.fetch(source);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const repository = await importSource(source.name, description, join(directory, 'git'));
  const said: string[] = [];
  const alone = { platform, description, out: join(directory, 'debian'), log: (text: string) => void said.push(text) };
  const work = { world, repository, out: join(directory, 'sluice'), logs: join(directory, 'logs') };
  const load: number[] = [];
  const before = first === 'debian' ? await measured(load, () => buildAlone(alone)) : null;
  const built = await measured(load, () => buildSource(work));
  const peer = before ?? (await measured(load, () => buildAlone(alone)));
  return async () => {
    const run = await runStages(work, built);
    const verdict = await judge({ peer, run, alone, lint: () => lintAlone(alone), tree: repository.tree });
    await writeFile(join(work.logs, 'debian.log'), said.join(''));
    const { name, version, format, tags } = source;
    const { seconds: debian, dependencies } = peer;
    const times = { first, sluice: built.end.seconds, debian, dependencies, load };
    return { name, version, format, tags, ...verdict, stages: run.stages, times };
  };
}

async function measured<T>(load: number[], work: () => Promise<T>): Promise<T> {
  load.push(Math.round((loadavg()[0] ?? 0) * 10) / 10);
  return work();
}

interface Ended {
  readonly peer: PeerBuild;
  readonly run: SluiceRun;
  readonly alone: Parameters<typeof lintAlone>[0];
  readonly lint: () => Promise<readonly LintRemark[]>;
  /** The source, unpacked. */
  readonly tree: string;
}

type Verdict = Pick<SourceResult, 'same' | 'differences' | 'shared' | 'packages' | 'otherContents'>;

async function judge({ peer, run, alone, lint, tree }: Ended): Promise<Verdict> {
  const { build } = run.stages;
  const none = { packages: 0, otherContents: [] };
  if (build?.result !== 'SUCCESS' || !peer.ok) {
    const ours = `build: ${build?.result} ${build?.summary}`;
    if (build?.result === 'FAILURE' && !peer.ok) return { same: true, differences: [], shared: [ours], ...none };
    const theirs = peer.ok ? "Debian's tools build it" : `Debian's tools do not build it: ${peer.reason}`;
    return { same: false, differences: [`${ours}; ${theirs}`], shared: [], ...none };
  }
  const [theirs, ours] = [await readPackages(peer.out, plainText), await readPackages(run.out, plainText)];
  const shared: string[] = [];
  const tests = { tree, tests: await allTests(tree, theirs), failures: run.failures };
  const differences = [
    ...comparePackages(theirs, ours).map((line) => `build: ${line}`),
    ...(await judgeLint(run, await lint(), shared)),
    ...judgePublish(run, theirs),
    ...(await judgeInstall(run, () => installAlone(alone, tests), shared)),
  ];
  const other = otherContents(theirs, ours);
  return { same: differences.length === 0, differences, shared, packages: theirs.length, otherContents: other };
}

async function judgeLint({ stages, remarks }: SluiceRun, peer: readonly LintRemark[], shared: string[]) {
  const { lint } = stages;
  if (lint?.result !== 'SUCCESS' && lint?.result !== 'FAILURE') return [`lint: ${lint?.result} ${lint?.summary}`];
  const differences = compareErrors(peer, remarks);
  if (lint.result === 'FAILURE' && differences.length === 0) shared.push(`lint: ${lint.summary}`);
  return differences.map((line) => `lint: ${line}`);
}

function judgePublish({ stages, published }: SluiceRun, debian: readonly BuiltPackage[]): string[] {
  const { publish } = stages;
  if (publish?.result !== 'SUCCESS') return [`publish: ${publish?.result} ${publish?.summary}`];
  const missing = debian.map(({ fields }) => fields.Package ?? '').filter((name) => !published.includes(name));
  return missing.map((name) => `publish: ${name} is not in the index`);
}

/** Each failed step counts by itself: it is shared when the same package fails at it, or the same test, without us. */
async function judgeInstall(
  { stages, failures }: SluiceRun,
  peer: () => Promise<readonly string[]>,
  shared: string[],
): Promise<readonly string[]> {
  const { install, publish } = stages;
  if (publish?.result !== 'SUCCESS' || install?.result === 'SUCCESS') return [];
  if (failures.length === 0) return [`install: ${install?.result} ${install?.summary}`];
  const theirs = await peer();
  const isShared = (line: string) => {
    const test = /^\S+: (exercise: .*?) (?:ended|did|cannot|crashed|needs) /.exec(line)?.[1];
    return theirs.some((one) => one === line || (test === undefined ? line.startsWith(stepOf(one)) : one === test));
  };
  shared.push(...failures.filter(isShared).map((line) => `install: ${line}`));
  return failures.filter((line) => !isShared(line)).map((line) => `install: ${line}`);
}

/** `PACKAGE: STEP: ` of a failed step. */
function stepOf(line: string): string {
  return /^\S+: (?:install|remove): /.exec(line)?.[0] ?? '\n';
}

async function allTests(tree: string, packages: readonly BuiltPackage[]): Promise<readonly PeerTest[]> {
  const found = new Map<string, PeerTest>();
  const source = sourceFiles(tree);
  for (const { fields } of packages) {
    for (const { test, why } of await testsFor(fields.Package ?? '', { source })) {
      if (why !== null) continue;
      const { path, command, packages: needed } = test;
      const script = path === undefined ? `#!/bin/sh\n${command}\n` : ((await source(path)) ?? '');
      const place = path === undefined ? {} : { path };
      found.set(labelOf(test), { label: labelOf(test), script, packages: needed, ...place });
    }
  }
  return [...found.values()];
}
