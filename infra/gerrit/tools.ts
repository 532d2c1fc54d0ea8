import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../activities/files/digest.ts';
import { writeWhole } from '../../activities/files/write.ts';
import { withLock } from '../../activities/process/lock.ts';
import { must } from '../../activities/process/run.ts';
import { checkout, findProgram } from '../bootstrap/find.ts';
import { findJava } from './java.ts';
import { type GerritArtifact, type GerritVersion, usualGerrit } from './versions.ts';

const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
const sources = fileURLToPath(new URL('boot/', import.meta.url));

/** A Gerrit that can be run: jars, and a directory for what is made of them once. */
export interface GerritTools {
  readonly directory: string;
  readonly classPath: string;
  /** Directory of the programs of the Java that runs it. */
  readonly java: string;
}

/**
 * Fetches a Gerrit by Maven where it is not there yet, 85 MB once, and checks every file by its digest.
 *
 * @throws when a Java that is new enough or Maven is missing, saying how to install it, or when a file is not what it
 *   should be
 */
export async function fetchGerrit(version = usualGerrit): Promise<GerritTools> {
  const java = await findJava(version.java);
  if (java === null || findProgram('mvn') === undefined)
    throw new Error(`Gerrit needs Java ${version.java} and Maven: apt-get install default-jdk-headless maven`);
  const directory = join(checkout, '.tools', 'gerrit', version.number);
  const tools = { directory, classPath: classPathOf(directory, version), java };
  await mkdir(directory, { recursive: true });
  await withLock(join(directory, 'lock'), 600, async () => {
    for (const artifact of version.artifacts) await fetchJar(directory, artifact);
    if (!existsSync(join(directory, 'boot.jar'))) await makeBootJar(tools, version.number);
  });
  return tools;
}

/** Java with what Gerrit needs to start fast in little memory. */
export function javaArguments({ directory, classPath }: GerritTools, program: string, args: readonly string[]) {
  const archive = archiveOf(directory);
  return [
    ...['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
    ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`, '-Xshare:auto'] : []),
    ...flogger,
    ...['-cp', classPath, 'Pgm', program, ...args],
  ];
}

/** Where Java keeps the classes that a start loads; made by the first start, 80 MB. */
export function archiveOf(directory: string): string {
  return join(directory, 'classes.jsa');
}

/** Else Gerrit's own log files stay empty. */
const flogger = [
  '-Dflogger.backend_factory=com.google.common.flogger.backend.log4j.Log4jBackendFactory#getInstance',
  '-Dflogger.logging_context=com.google.gerrit.server.logging.LoggingContext#getInstance',
];

function classPathOf(directory: string, { artifacts }: GerritVersion): string {
  return ['boot.jar', ...artifacts.map(({ name }) => fileOf(name))].map((file) => join(directory, file)).join(':');
}

function fileOf(name: string): string {
  const [, artifact, release] = name.split(':');
  return `${artifact}-${release}.jar`;
}

async function fetchJar(directory: string, { name, sha256: wanted }: GerritArtifact): Promise<void> {
  const path = join(directory, fileOf(name));
  if (existsSync(path)) return;
  const fresh = await mkdtemp(join(directory, '.fetch-'));
  try {
    await must('mvn', ['-q', '-B', copyGoal, `-Dartifact=${name}`, `-DoutputDirectory=${fresh}`], { timeout: 600_000 });
    const found = await sha256(join(fresh, fileOf(name)));
    if (found !== wanted)
      throw new Error(`${name} has the digest ${found}, and ${wanted} was expected: it is not used`);
    await rename(join(fresh, fileOf(name)), path);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** A main class, quiet logs, and the version, which the jars call `(dev)`. */
async function makeBootJar({ directory, classPath, java }: GerritTools, version: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'sluice-gerrit-boot-'));
  try {
    const common = join(work, 'com', 'google', 'gerrit', 'common');
    await mkdir(common, { recursive: true });
    await writeWhole(join(common, 'Version'), `${version}\n`);
    await cp(join(sources, 'log4j.properties'), join(work, 'log4j.properties'));
    await must(join(java, 'javac'), ['-cp', classPath, '-d', work, join(sources, 'Pgm.java')], { timeout: 120_000 });
    const fresh = join(directory, '.boot.jar');
    await must(join(java, 'jar'), ['cf', fresh, '-C', work, '.'], { timeout: 120_000 });
    await rename(fresh, join(directory, 'boot.jar'));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
