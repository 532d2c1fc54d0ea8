import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcessError, run } from '../process/run.ts';
import { makeTemporary } from '../process/temporary.ts';
import { dearmor } from './armor.ts';
import { type FoundSignature, readSignatures } from './signatures.ts';

export interface SignedText {
  /** Armoured; without `text` it holds both. */
  readonly signature: string;
  readonly text?: string;
}

/**
 * Reads signatures again with public keys alone, whatever key ring the user has.
 *
 * @param publicKeys armoured
 * @returns the signatures; null where one does not add up
 * @throws ProcessError where GnuPG was killed
 */
export async function verifySigned(
  publicKeys: string,
  { signature, text }: SignedText,
): Promise<readonly FoundSignature[] | null> {
  const work = await makeTemporary('sluice-signed');
  try {
    const [ring, signed, plain] = [join(work, 'ring.gpg'), join(work, 'signature'), join(work, 'text')];
    await writeFile(ring, dearmor('PUBLIC KEY BLOCK', publicKeys));
    await writeFile(signed, signature);
    if (text !== undefined) await writeFile(plain, text);
    const files = text === undefined ? [signed] : [signed, plain];
    const args = ['--status-fd', '1', '--keyring', ring, ...files];
    const result = await run('gpgv', args);
    // Killed, it has said nothing of the signatures.
    if (result.code > 128) throw new ProcessError('gpgv', args, result);
    return result.code === 0 ? readSignatures(result.stdout) : null;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
