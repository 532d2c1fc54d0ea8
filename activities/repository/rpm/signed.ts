import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcessError, run } from '../../process/run.ts';
import { makeTemporary } from '../../process/temporary.ts';
import { RepositoryRefusal } from '../port.ts';

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
  const database = await makeTemporary('sluice-rpmdb');
  try {
    const key = join(database, 'key.asc');
    await writeFile(key, publicKey);
    const { code, stderr } = await run('rpmkeys', ['--dbpath', database, '--import', key]);
    if (code !== 0) throw new RepositoryRefusal(`rpm takes no such key: ${await nameKey(key, stderr)}`);
    return await work((files) => findUnsigned(database, files));
  } finally {
    await rm(database, { recursive: true, force: true });
  }
}

/** What GnuPG can say of a key that rpm does not take, with what does; else rpm's own words. */
async function nameKey(file: string, said: string): Promise<string> {
  const listed = await run('gpg', ['--batch', '--show-keys', '--', file]);
  const [, algorithm = ''] = /^pub\s+(\S+)/m.exec(listed.stdout) ?? [];
  if (listed.code !== 0 || algorithm === '') return said.trim().split('\n').at(-1) ?? '';
  const print = /^\s+([0-9A-F]{40,})/m.exec(listed.stdout)?.[1] ?? '';
  return `${print} is of the kind ${algorithm}; clients of RPM repositories take RSA (3072 bits, say) and ed25519`;
}

async function findUnsigned(database: string, files: readonly string[]): Promise<readonly string[]> {
  const bad: string[] = [];
  for (let start = 0; start < files.length; start += batch) {
    const some = files.slice(start, start + batch);
    const args = ['--dbpath', database, '--checksig', '--', ...some];
    const result = await run('rpmkeys', args);
    const said = result.stdout + result.stderr;
    // Killed, it has said nothing of some; its exit code counts those that are bad.
    if (!some.every((file) => said.includes(file))) throw new ProcessError('rpmkeys', args, result);
    const good = new Set(
      result.stdout.split('\n').flatMap((line) => /^(.*): digests signatures OK$/.exec(line)?.[1] ?? []),
    );
    bad.push(...some.filter((file) => !good.has(file)));
  }
  return bad;
}
