import { signedAlike } from '../../keys/armor.ts';
import { verifySigned } from '../../keys/verify.ts';
import { KeyRefused, type SigningKey } from './port.ts';

const text = 'Sluice asks whether this key can sign.\n';

/**
 * Has a key sign a text that means nothing, both ways, and reads the signatures again.
 *
 * @returns the text as it signs it in clear
 * @throws KeyRefused when it cannot sign; KeyAway when it may at another time
 */
export async function proveKey(key: SigningKey): Promise<string> {
  // One after the other: where the first is refused there is no need to ask again.
  const detached = { signature: await key.detach(text), text };
  const clear = { signature: await key.clear(text) };
  const shown = await key.publicKey();
  for (const signed of [detached, clear]) {
    const found = await verifySigned(shown, signed);
    if (found?.length !== 1) throw new KeyRefused(`${key.id}: what it signs does not add up with its public key`);
  }
  return clear.signature;
}

/**
 * Looks whether keys can sign one text together.
 *
 * @param first the text as the first of them has signed it in clear
 * @throws KeyRefused when another has signed it in another way
 */
export function requireAlike({ id }: SigningKey, clear: string, first: string): void {
  if (signedAlike(clear, first)) return;
  throw new KeyRefused(
    `${id} signs in clear in another way than the first key: all must sign the text as it is, by the same digest (SHA-512)`,
  );
}
