import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, run } from '../process/run.ts';
import { environment, exportPublicKey, type GpgKey } from './key.ts';

/** Signs a package in place, unless this key has signed it before, and reads it again with the public key alone. */
export async function signRpm(key: GpgKey, file: string): Promise<void> {
  const publicKey = await exportPublicKey(key);
  if (await isSignedBy(publicKey, file)) return;
  const home = environment(key).GNUPGHOME;
  // Distributions' rpm packages name a program that need not be there, such as gpg2.
  const program = '__gpg /usr/bin/gpg';
  const defines = [program, `_gpg_name ${key.key}`, ...(home === undefined ? [] : [`_gpg_path ${home}`])];
  const options = defines.flatMap((define) => ['--define', define]);
  await must('rpmsign', ['--addsign', ...options, '--', file], { env: environment(key) });
  if (!(await isSignedBy(publicKey, file))) throw new Error(`${file}: the signature does not check out`);
}

/** Whether the package carries a good signature by this key, whatever other keys the machine trusts. */
export async function isSignedBy(publicKey: string, file: string): Promise<boolean> {
  const database = await mkdtemp(join(tmpdir(), 'sluice-rpmdb-'));
  try {
    const path = join(database, 'key.asc');
    await writeFile(path, publicKey);
    await must('rpmkeys', ['--dbpath', database, '--import', path]);
    const { code, stdout } = await run('rpmkeys', ['--dbpath', database, '--checksig', '--', file]);
    return code === 0 && /: digests signatures OK$/m.test(stdout);
  } finally {
    await rm(database, { recursive: true, force: true });
  }
}
