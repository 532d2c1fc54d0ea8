import type { SigningKey } from '../port.ts';
import type { ProgramKey } from '../settings.ts';
import { askProgram } from './ask.ts';
import { rpmsignByProgram } from './rpmsign.ts';

/**
 * Signs by a program that reaches the key: `docs/signing.md` says how it is called.
 *
 * @param shown its public half, armoured
 */
export function createProgramKey(key: ProgramKey, shown: string): SigningKey {
  return {
    id: key.fingerprint,
    publicKey: () => Promise.resolve(shown),
    detach: (text) => askProgram(key, 'detach-sign', text),
    clear: (text) => askProgram(key, 'clear-sign', text),
    rpmsign: (files) => rpmsignByProgram(key, files),
  };
}
