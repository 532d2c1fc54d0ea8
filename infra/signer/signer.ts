import { join } from 'node:path';
import { makeOpenDirectory } from '../../activities/files/modes.ts';
import { writeWhole } from '../../activities/files/write.ts';
import { publicKeyFile } from '../../activities/repository/port.ts';
import { closeAgent, exportPublicKey, openKey } from '../../activities/sign/key.ts';
import { createSignActivities, type SignActivities } from '../../activities/sign/sign-activities.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import type { DataPaths } from '../stack/paths.ts';

export interface Signer {
  readonly activities: SignActivities;
  readonly fingerprint: string;
  /** Ends the key's agent. */
  close(): Promise<void>;
}

/**
 * Opens the signer in its own process: makes its key at the first start and shows the public half.
 *
 * @param paths `keys` and `publicKeys` must belong to the user that this process runs as.
 */
export async function openSigner(paths: DataPaths): Promise<Signer> {
  const home = paths.keys;
  const fingerprint = await openKey(home, 'Sluice releases');
  const key = { home, key: fingerprint };
  await makeOpenDirectory(paths.publicKeys);
  await writeWhole(publicKeyPath(paths), await exportPublicKey(key));
  const inbox = createFileBlobStore({ root: paths.storage, baseUrl: '' });
  const outbox = signedStore(paths);
  return { activities: createSignActivities({ key, inbox, outbox }), fingerprint, close: () => closeAgent(home) };
}

/** What the signer has signed: it writes there, others only read. */
export function signedStore(paths: DataPaths) {
  return createFileBlobStore({ root: paths.publicKeys, baseUrl: '' });
}

/** Where clients and mirrors find the released repositories' public key. */
export function publicKeyPath(paths: DataPaths): string {
  return join(paths.publicKeys, publicKeyFile);
}
