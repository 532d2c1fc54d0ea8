import type { IndexSigner } from '../repository/port.ts';
import { createGpgSigner } from './gpg.ts';
import { openKey } from './key.ts';

/** What signs the indexes of test repositories. */
export type TestSigner = Omit<IndexSigner, 'package'>;

/**
 * A key for test repositories, so that what a job installs from one is what the worker put there, whoever is on the
 * way. It is no release key: nobody outside trusts it, and releases never see it. Made when it is first asked for.
 *
 * @param home its directory, for this process's user alone
 */
export function createTestSigner(home: string): () => Promise<TestSigner> {
  let opened: Promise<TestSigner> | undefined;
  return () => {
    opened ??= open(home).catch((error) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

async function open(home: string): Promise<TestSigner> {
  const { detach, clear, publicKey } = createGpgSigner({
    home,
    key: await openKey(home, 'Sluice test repositories', 'ed25519'),
  });
  const key = await publicKey();
  return { detach, clear, publicKey: () => Promise.resolve(key) };
}
