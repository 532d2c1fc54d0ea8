import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemReason } from '../files/system-reason.ts';
import type { SecretReference } from './settings.ts';

/**
 * Reads a secret where it is, without the line ends that editors leave: one line, or a key between its own marks.
 *
 * @throws an error that names the place, never the content
 */
export async function readSecret(reference: SecretReference): Promise<string> {
  if ('env' in reference) return given(process.env[reference.env], `the environment variable ${reference.env}`);
  if ('file' in reference) return readFrom(reference.file, reference.file);
  const directory = process.env.CREDENTIALS_DIRECTORY;
  const place = `the credential ${reference.credential}`;
  if (!directory) throw new Error(`${place} is not there: the service was not started by systemd with LoadCredential=`);
  return readFrom(join(directory, reference.credential), place);
}

async function readFrom(path: string, place: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`a secret cannot be read from ${place}: ${systemReason(error)}`);
  });
  return given(text, place);
}

function given(text: string | undefined, place: string): string {
  const secret = text?.replace(/[\r\n]+$/, '');
  if (!secret) throw new Error(`a secret is expected in ${place}, and there is none`);
  // What the program that made it has said besides, for example: no host and no webhook would fit it.
  if (/[\r\n]/.test(secret) && !secret.includes('-----BEGIN '))
    throw new Error(`there is more than one line in ${place}: leave the secret alone there`);
  return secret;
}
