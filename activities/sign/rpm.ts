import { must, run } from '../process/run.ts';
import { unsigned } from '../repository/rpm/signed.ts';
import { environment, exportPublicKey, type GpgKey } from './key.ts';

/** Signs a package in place, unless this key has signed it before, and reads it again with the public key alone. */
export async function signRpm(key: GpgKey, file: string): Promise<void> {
  const publicKey = await exportPublicKey(key);
  if (await isSignedBy(publicKey, file)) return;
  const home = environment(key).GNUPGHOME;
  // `--resign`: newer rpm leaves a package alone that another key has signed.
  // Distributions' rpm packages name a program that need not be there, such as gpg2.
  const program = '__gpg /usr/bin/gpg';
  const defines = [program, `_gpg_name ${key.key}`, ...(home === undefined ? [] : [`_gpg_path ${home}`])];
  const options = defines.flatMap((define) => ['--define', define]);
  await must('rpmsign', ['--resign', ...(await forOldReaders()), ...options, '--', file], { env: environment(key) });
  if (!(await isSignedBy(publicKey, file))) throw new Error(`${file}: the signature does not check out`);
}

/** What makes rpmsign write a signature that rpm 4 and dnf 4 see: from rpm 6 on they see none in packages of format 6. */
async function forOldReaders(): Promise<readonly string[]> {
  return oldReadersIn((await run('rpmsign', ['--help'])).stdout);
}

/** The option for that, where the program's help has it: an older rpmsign writes no other. */
export function oldReadersIn(help: string): readonly string[] {
  return /^\s+--rpmv4\b/m.test(help) ? ['--rpmv4'] : [];
}

/** Whether the package carries a good signature by this key. */
export async function isSignedBy(publicKey: string, file: string): Promise<boolean> {
  return (await unsigned([file], publicKey)).length === 0;
}
