import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram } from '../bootstrap/find.ts';

const installed = '/usr/lib/jvm';

/**
 * The directory of the programs of a Java with a compiler: the one on PATH, that of JAVA_HOME, or any that the system
 * has, whichever is the first to be new enough.
 *
 * @param least its version, such as 21
 */
export async function findJava(least: number): Promise<string | null> {
  for (const compiler of await compilers()) {
    const home = await realpath(compiler).then(
      (path) => dirname(dirname(path)),
      () => null,
    );
    if (home !== null && (await versionOf(home)) >= least) return join(home, 'bin');
  }
  return null;
}

async function compilers(): Promise<readonly string[]> {
  const homes = (await readdir(installed).catch(() => [])).sort().map((name) => join(installed, name));
  const { JAVA_HOME: named } = process.env;
  const onPath = findProgram('javac');
  return [
    ...(onPath === undefined ? [] : [onPath]),
    ...[...(named ? [named] : []), ...homes].map((home) => join(home, 'bin', 'javac')),
  ];
}

/** 0 where it does not say. */
async function versionOf(home: string): Promise<number> {
  const text = await readFile(join(home, 'release'), 'utf8').catch(() => '');
  return Number(/^JAVA_VERSION="(\d+)/m.exec(text)?.[1] ?? 0);
}
