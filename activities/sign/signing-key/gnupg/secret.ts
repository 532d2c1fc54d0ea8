import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../process/run.ts';
import { makeTemporary } from '../../../process/temporary.ts';
import { environment } from '../../key.ts';
import { KeyAway, KeyRefused } from '../port.ts';
import { isCancelled, isWrongSecret } from './fault.ts';
import type { GnupgKey } from './key.ts';

/**
 * Has GnuPG sign with the key's passphrase or PIN, where it has one.
 *
 * @param work gets what GnuPG is to be told besides
 * @throws KeyRefused where there is no secret to read, or a card has refused it before
 */
export async function withSecret<T>(key: GnupgKey, work: (options: readonly string[]) => Promise<T>): Promise<T> {
  if (key.secret === undefined) return work([]);
  const secret = await key.secret().catch((error: Error) => {
    throw new KeyRefused(`${key.key}: ${error.message}`);
  });
  await key.card?.check(secret);
  const file = await openNameless(`${secret}\n${cancel}`);
  const given = ['--pinentry-mode', 'loopback', '--command-file', file.path];
  try {
    return await work(given);
  } catch (error) {
    if (!isWrongSecret(error)) throw error;
    // A passphrase locks nothing, and a GnuPG that had to wait for the processor has refused a right one.
    if (key.card === undefined) return await work(given);
    if (isCancelled(error) && !(await isCardThere(key))) throw new KeyAway(`the card of ${key.key} is not there`);
    await key.card.refused(secret);
    throw error;
  } finally {
    await file.close();
  }
}

/**
 * The answer to any other question. What speaks to cards may ask again after a wrong PIN without saying so
 * (gnupg-pkcs11-scd does twice, and for ever where there is no card), and cards lock after three.
 */
const cancel = '\u0004\n'.repeat(9);

async function isCardThere(key: GnupgKey): Promise<boolean> {
  const limits = { env: environment(key), timeout: 10_000 };
  const { stdout } = await run('gpg-connect-agent', ['SCD LEARN', '/bye'], limits);
  return /^S KEYPAIRINFO /m.test(stdout);
}

/** A file that has no name any more when the secret is in it: killed at any moment, nothing of it stays on the disk. */
async function openNameless(content: string): Promise<{ readonly path: string; close(): Promise<void> }> {
  const directory = await makeTemporary('sluice-secret');
  const file = await open(join(directory, 'secret'), 'wx+', 0o600).finally(() => rm(directory, { recursive: true }));
  await file.writeFile(content);
  return { path: `/proc/${process.pid}/fd/${file.fd}`, close: () => file.close() };
}
