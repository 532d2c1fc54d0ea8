import { constants, createPublicKey, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto';

/** PKCS#1 OAEP with SHA-1 and without a label: the scheme that `!encrypted/pkcs1-oaep` names. */
const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' } as const;

/** What OAEP with SHA-1 takes of a block, in bytes. */
const overhead = 42;

/**
 * Encrypts text for the holder of the private key.
 *
 * @param publicKey PEM
 * @param plain UTF-8, at least one byte
 * @returns base64, one for as much text as the key can hold at once
 * @throws RangeError when there is nothing to encrypt, or it is not UTF-8: its end as a secret is text
 */
export function encryptText(publicKey: string, plain: Uint8Array): string[] {
  if (plain.length === 0) throw new RangeError('there is nothing to encrypt: the secret is empty');
  if (!isUtf8(plain)) throw new RangeError('a secret is text in UTF-8: encode other content first, by base64 say');
  const key = createPublicKey(publicKey);
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits === undefined) throw new RangeError(`the public key is not an RSA key but ${key.asymmetricKeyType}`);
  return split(plain, bits / 8 - overhead).map((part) => publicEncrypt({ key, ...padding }, part).toString('base64'));
}

/** @throws the crypto library's error when the key does not fit; it names no content */
export function decryptText(key: KeyObject, chunks: readonly string[]): string {
  const parts = chunks.map((chunk) => privateDecrypt({ key, ...padding }, Buffer.from(chunk, 'base64')));
  return Buffer.concat(parts).toString('utf8');
}

/** Never within a character: other readers decode each part for itself. */
function split(plain: Uint8Array, size: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < plain.length; ) {
    let end = Math.min(start + size, plain.length);
    while (end < plain.length && isContinuation(plain[end])) end--;
    parts.push(plain.subarray(start, end));
    start = end;
  }
  return parts;
}

function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80;
}

function isUtf8(plain: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(plain);
    return true;
  } catch {
    return false;
  }
}
