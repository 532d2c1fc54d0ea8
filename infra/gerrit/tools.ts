import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { writeWhole } from '../../activities/files/write.ts';
import { withLock } from '../../activities/process/lock.ts';
import { must, run } from '../../activities/process/run.ts';
import { checkout } from '../bootstrap/find.ts';

/** The last one for Java 17. */
const version = '3.10.2';

/** What a server is made of, as Maven Central has it: two shaded jars, and the cryptography that they leave out. */
const artifacts = [
  {
    name: `com.google.gerrit:gerrit-acceptance-framework:${version}`,
    sha256: '29fd6bf05585ba57490d13e28fd4c5f9f859d3b55f5e1217ca437aa4f8f84c13',
  },
  {
    name: `com.google.gerrit:gerrit-plugin-api:${version}`,
    sha256: '3ee733da1bd1379c61005cde3ac4bced480ab211dc51f62ad7821a7f35b15c43',
  },
  {
    name: 'org.bouncycastle:bcprov-jdk18on:1.80',
    sha256: 'e8ad209f8c58d291a37ca9750e9e9fac60596956c983e49dd8282381dd8b3249',
  },
  {
    name: 'org.bouncycastle:bcpg-jdk18on:1.80',
    sha256: '3799a0d53511b860780af43c44ae8e0519afabb263195af40174f46312cd58bd',
  },
] as const;

const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
const sources = fileURLToPath(new URL('boot/', import.meta.url));

/** A Gerrit that can be run: jars, and a directory for what is made of them once. */
export interface GerritTools {
  readonly directory: string;
  readonly classPath: string;
}

/**
 * Fetches Gerrit by Maven where it is not there yet, 85 MB once, and checks every file by its digest.
 *
 * @throws when Java or Maven is missing, saying how to install it, or when a file is not what it should be
 */
export async function fetchGerrit(directory = join(checkout, '.tools', 'gerrit', version)): Promise<GerritTools> {
  await mkdir(directory, { recursive: true });
  await withLock(join(directory, 'lock'), 600, async () => {
    for (const artifact of artifacts) await fetchJar(directory, artifact);
    if (!existsSync(join(directory, 'boot.jar'))) await makeBootJar(directory);
  });
  return { directory, classPath: classPathOf(directory) };
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

function classPathOf(directory: string): string {
  return ['boot.jar', ...artifacts.map(({ name }) => fileOf(name))].map((file) => join(directory, file)).join(':');
}

function fileOf(name: string): string {
  const [, artifact, release] = name.split(':');
  return `${artifact}-${release}.jar`;
}

async function fetchJar(directory: string, { name, sha256 }: (typeof artifacts)[number]): Promise<void> {
  const path = join(directory, fileOf(name));
  if (existsSync(path)) return;
  await requirePrograms();
  const fresh = await mkdtemp(join(directory, '.fetch-'));
  try {
    await must('mvn', ['-q', '-B', copyGoal, `-Dartifact=${name}`, `-DoutputDirectory=${fresh}`], { timeout: 600_000 });
    const found = await digestOf(join(fresh, fileOf(name)));
    if (found !== sha256)
      throw new Error(`${name} has the digest ${found}, and ${sha256} was expected: it is not used`);
    await rename(join(fresh, fileOf(name)), path);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function requirePrograms(): Promise<void> {
  for (const program of ['mvn', 'javac', 'jar']) {
    const there = await run(program, ['--version']).then(
      ({ code }) => code === 0,
      () => false,
    );
    if (!there) throw new Error(`Gerrit needs ${program}: apt-get install default-jdk-headless maven`);
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A main class, quiet logs, and the version, which the jars call `(dev)`. */
async function makeBootJar(directory: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'sluice-gerrit-boot-'));
  try {
    const common = join(work, 'com', 'google', 'gerrit', 'common');
    await mkdir(common, { recursive: true });
    await writeWhole(join(common, 'Version'), `${version}\n`);
    await cp(join(sources, 'log4j.properties'), join(work, 'log4j.properties'));
    await must('javac', ['-cp', classPathOf(directory), '-d', work, join(sources, 'Pgm.java')], { timeout: 120_000 });
    const fresh = join(directory, '.boot.jar');
    await must('jar', ['cf', fresh, '-C', work, '.'], { timeout: 120_000 });
    await rename(fresh, join(directory, 'boot.jar'));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
