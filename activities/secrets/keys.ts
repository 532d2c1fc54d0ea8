import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { keepFirst } from '../files/write.ts';
import { decryptText } from './oaep.ts';
import type { ProjectKeys } from './port.ts';

const bits = 4096;

/**
 * Key pairs in a directory that only its owner may enter: `PROJECT.pem` (with `/` as `%2F`) is a project's private key,
 * in PKCS#1 or PKCS#8. A project's pair is made when it is needed first; a file that is there is used as it is, so that
 * keys from elsewhere can be brought along.
 *
 * @param directory made with mode 0700; an existing one that others may enter is closed to them
 */
export function createProjectKeys(directory: string): ProjectKeys {
  const known = new Map<string, Promise<KeyObject>>();
  const keyOf = (project: string) => {
    const key = known.get(project) ?? openKey(directory, project);
    known.set(project, key);
    // A file that could not be read now may be mended.
    key.catch(() => known.delete(project));
    return key;
  };
  return {
    async publicKey(project) {
      const key = createPublicKey(await keyOf(project));
      return key.export({ type: 'spki', format: 'pem' }).toString();
    },
    async decrypt(project, chunks) {
      const key = await keyOf(project);
      try {
        return decryptText(key, chunks);
      } catch {
        throw new Error(`a value is not encrypted with the key of ${project}: encrypt it again`);
      }
    },
  };
}

async function openKey(directory: string, project: string): Promise<KeyObject> {
  await openPrivateDirectory(directory);
  const path = join(directory, `${encodeURIComponent(project)}.pem`);
  const pem = (await read(path)) ?? (await make(path));
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new Error(`${path} is not a private key in PEM: ${(error as Error).message}`);
  }
}

/** Makes a directory that only this user may enter, or closes it to others. */
export async function openPrivateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { mode } = await stat(directory);
  if ((mode & 0o077) !== 0) await chmod(directory, 0o700);
}

async function make(path: string): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: bits });
  return keepFirst(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

/** @returns undefined when there is no such file */
export async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
}
