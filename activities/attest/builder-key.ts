import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWholeSync } from '../files/write.ts';

const privateFile = 'builder.pem';

/** The public half, for the signer: it takes builds of the workers whose keys it has. */
export const builderKeyFile = 'builder.pub';

/**
 * The key by which a worker says what it has built. It is made at the first start; nobody but the worker's user reads
 * it.
 *
 * @param directory made with mode 0700
 */
export function openBuilderKey(directory: string): KeyObject {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const path = join(directory, privateFile);
  const known = readOptional(path);
  const key = known === null ? makeKey(path) : createPrivateKey(known);
  writeWholeSync(join(directory, builderKeyFile), publicPem(key));
  return key;
}

/** Names a public key: the beginning of its digest would do, the key itself is as short. */
export function keyIdOf(key: KeyObject): string {
  const { x } = createPublicKey(key.type === 'private' ? key : { key: publicPem(key) }).export({ format: 'jwk' });
  if (x === undefined) throw new Error('this is no Ed25519 key');
  return `ed25519:${x}`;
}

export function publicPem(key: KeyObject): string {
  const half = key.type === 'private' ? createPublicKey(key) : key;
  return half.export({ type: 'spki', format: 'pem' }).toString();
}

/** The workers whose builds are trusted, by key id. A file that is no key stops the signer: it was put there by hand. */
export function readBuilders(directory: string): ReadonlyMap<string, KeyObject> {
  const keys = readdirOptional(directory).map((name) => createPublicKey(readFileSync(join(directory, name))));
  return new Map(keys.map((key) => [keyIdOf(key), key]));
}

function makeKey(path: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  writeWholeSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), { mode: 0o600 });
  return privateKey;
}

function readOptional(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function readdirOptional(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.pub'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
