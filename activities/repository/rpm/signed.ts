import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, run } from '../../process/run.ts';

/** Packages of one call: command lines are limited. */
const batch = 200;

/** Finds those of some package files that carry no good signature by a key. */
export type FindUnsigned = (files: readonly string[]) => Promise<readonly string[]>;

/** Package files that carry no good signature by a key in `publicKey`, whatever other keys the machine trusts. */
export async function unsigned(files: readonly string[], publicKey: string): Promise<readonly string[]> {
  return files.length === 0 ? [] : withKey(publicKey, (find) => find(files));
}

/** The same for who asks several times of one key. */
export async function withKey<T>(publicKey: string, work: (find: FindUnsigned) => Promise<T>): Promise<T> {
  const database = await mkdtemp(join(tmpdir(), 'sluice-rpmdb-'));
  try {
    const key = join(database, 'key.asc');
    await writeFile(key, publicKey);
    await must('rpmkeys', ['--dbpath', database, '--import', key]);
    return await work((files) => findUnsigned(database, files));
  } finally {
    await rm(database, { recursive: true, force: true });
  }
}

async function findUnsigned(database: string, files: readonly string[]): Promise<readonly string[]> {
  const bad: string[] = [];
  for (let start = 0; start < files.length; start += batch) {
    const some = files.slice(start, start + batch);
    const { stdout } = await run('rpmkeys', ['--dbpath', database, '--checksig', '--', ...some]);
    const good = new Set(stdout.split('\n').flatMap((line) => /^(.*): digests signatures OK$/.exec(line)?.[1] ?? []));
    bad.push(...some.filter((file) => !good.has(file)));
  }
  return bad;
}
