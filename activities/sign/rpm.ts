import { availableParallelism } from 'node:os';
import { mapAtOnce } from '../process/at-once.ts';
import { must, run } from '../process/run.ts';
import { unsigned, withKey } from '../repository/rpm/signed.ts';
import { environment, exportPublicKey, type GpgKey, signing } from './key.ts';

/** Packages of one call: command lines are limited. */
const batch = 100;

/**
 * Signs packages in place, but for those that this key has signed before, and reads them again with the public key
 * alone.
 */
export async function signRpms(key: GpgKey, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  await withKey(await exportPublicKey(key), async (find) => {
    const [missing, options] = await Promise.all([find(files), rpmsignOptions(key)]);
    await mapAtOnce(lotsOf(missing), availableParallelism(), (lot) => {
      const argv = [...options, '--', ...lot];
      return signing(key, () => must('rpmsign', argv, { env: environment(key) }));
    });
    const [bad] = await find(missing);
    if (bad !== undefined) throw new Error(`${bad}: the signature does not check out`);
  });
}

/** As many as the machine does at once, where they are few. */
function* lotsOf(files: readonly string[]): Generator<readonly string[]> {
  const size = Math.min(batch, Math.ceil(files.length / availableParallelism()));
  for (let start = 0; start < files.length; start += size) yield files.slice(start, start + size);
}

async function rpmsignOptions(key: GpgKey): Promise<string[]> {
  const home = environment(key).GNUPGHOME;
  // `--resign`: newer rpm leaves a package alone that another key has signed.
  // Distributions' rpm packages name a program that need not be there, such as gpg2.
  const program = '__gpg /usr/bin/gpg';
  const defines = [program, `_gpg_name ${key.key}`, ...(home === undefined ? [] : [`_gpg_path ${home}`])];
  return ['--resign', ...(await forOldReaders()), ...defines.flatMap((define) => ['--define', define])];
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
