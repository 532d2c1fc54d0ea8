import { verifySigned } from '../../keys/verify.ts';
import { KeyRefused, type SigningKey } from './port.ts';

const text = 'Sluice asks whether this key can sign.\n';

/**
 * Has a key sign a text that means nothing, and reads the signature again.
 *
 * @throws KeyRefused when it cannot sign; KeyAway when it may at another time
 */
export async function proveKey(key: SigningKey): Promise<void> {
  const signature = await key.detach(text);
  const found = await verifySigned(await key.publicKey(), { signature, text });
  if (found?.length === 1) return;
  throw new KeyRefused(`${key.id}: what it signs does not add up with its public key`);
}
