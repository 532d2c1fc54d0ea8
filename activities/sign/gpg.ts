import { joinArmored, joinClear } from '../keys/armor.ts';
import { verifySigned } from '../keys/verify.ts';
import type { IndexSigner } from '../repository/port.ts';
import type { ArchiveKeys } from './archive-keys.ts';
import type { GpgKey } from './key.ts';
import { createGnupgKey } from './signing-key/gnupg/sign.ts';
import { KeyRefused, type SigningKey } from './signing-key/port.ts';
import { requireAlike } from './signing-key/prove.ts';

/** Signs with one key of a GnuPG directory. */
export function createGpgSigner(given: GpgKey): IndexSigner {
  const key = createGnupgKey(given);
  return {
    ...{ detach: key.detach, clear: key.clear, publicKey: key.publicKey },
    package: (...files) => signPackages(key, files, key.publicKey),
  };
}

/**
 * Signs texts with all keys of the archive that sign, and packages with the first. Each signature is read again with the
 * public keys alone: text that one of them has not signed is never handed out.
 */
export function createArchiveSigner({ sign, publicKey }: Pick<ArchiveKeys, 'sign' | 'publicKey'>): IndexSigner {
  const checked = async (signature: string, text?: string) => {
    const signed = text === undefined ? { signature } : { signature, text };
    const found = (await verifySigned(await publicKey(), signed)) ?? [];
    const missing = sign.find(({ id }) => !found.some(({ primary, refused }) => primary === id && refused === null));
    if (missing !== undefined) throw new KeyRefused(`${missing.id}: what it signs does not add up with its public key`);
    return signature;
  };
  return {
    async detach(text) {
      const made = await Promise.all(sign.map((key) => key.detach(text)));
      return checked(joinArmored('SIGNATURE', made), text);
    },
    async clear(text) {
      const made = await Promise.all(sign.map((key) => key.clear(text)));
      for (const [index, key] of sign.entries()) requireAlike(key, made[index] ?? '', made[0] ?? '');
      return checked(joinClear(made));
    },
    publicKey,
    package: (...files) => signPackages(sign[0], files, publicKey),
  };
}

async function signPackages(key: SigningKey, files: readonly string[], shown: () => Promise<string>): Promise<void> {
  const rpms = files.filter((file) => file.endsWith('.rpm'));
  if (rpms.length > 0) await (await import('./rpm.ts')).signRpms(key, rpms, await shown());
}
