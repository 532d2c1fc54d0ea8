import { availableParallelism } from 'node:os';
import { mapAtOnce } from '../process/at-once.ts';
import { unsigned, withKey } from '../repository/rpm/signed.ts';
import { KeyRefused, type SigningKey } from './signing-key/port.ts';

/** Packages of one call: command lines are limited. */
const batch = 100;

/**
 * Signs packages in place, but for those that carry a good signature already, and reads them again with the public keys
 * alone.
 *
 * @param shown the armoured public keys by which a signature is good
 */
export async function signRpms(key: SigningKey, files: readonly string[], shown: string): Promise<void> {
  if (files.length === 0) return;
  await withKey(shown, async (find) => {
    const missing = await find(files);
    await mapAtOnce(lotsOf(missing), availableParallelism(), (lot) => key.rpmsign(lot));
    const [bad] = await find(missing);
    if (bad !== undefined) throw new KeyRefused(`${bad}: the signature does not check out`);
  });
}

/** As many as the machine does at once, where they are few. */
function* lotsOf(files: readonly string[]): Generator<readonly string[]> {
  const size = Math.min(batch, Math.ceil(files.length / availableParallelism()));
  for (let start = 0; start < files.length; start += size) yield files.slice(start, start + size);
}

/** Whether the package carries a good signature by this key. */
export async function isSignedBy(publicKey: string, file: string): Promise<boolean> {
  return (await unsigned([file], publicKey)).length === 0;
}
