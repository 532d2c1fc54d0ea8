import { type KeyPlaces, KeyRefused, type OpenedKey } from '../port.ts';
import { readPublicKey } from '../public-key.ts';
import type { ProgramKey } from '../settings.ts';
import { createProgramKey } from './sign.ts';

/**
 * Reads the public half of a key that a program signs with; the program itself is not asked.
 *
 * @throws RepositoryRefusal when the file does not hold this key, or clients refuse it
 */
export async function openProgramKey(given: ProgramKey, places: KeyPlaces): Promise<OpenedKey> {
  const { fingerprint, public: file } = given;
  const { armoured, verdict } = await readPublicKey({ file, fingerprint }, places);
  const [fault] = [...verdict.unusable, ...verdict.weak];
  if (fault !== undefined) throw new KeyRefused(`${fingerprint} is refused by clients: ${fault}`);
  const warnings = verdict.warnings.map((text) => `${fingerprint}: ${text}`);
  return { key: createProgramKey(given, armoured), fingerprint, warnings, home: null };
}
