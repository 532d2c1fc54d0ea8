import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isFormats } from '../../pipelines/model/release-line.ts';
import { exists } from '../files/exists.ts';
import { syncName } from '../files/sync.ts';
import { writeWhole } from '../files/write.ts';

/** What the signer remembers of a file that it let pass: enough to tell an operator where it came from. */
interface LedgerEntry {
  readonly file: string;
  /** Absent for what was released before there was a ledger. */
  readonly from?: { readonly project: string; readonly branch: string; readonly commit: string; readonly tree: string };
  readonly manifest?: string;
  /** RFC 3339, UTC. */
  readonly time: string;
}

/**
 * The files whose provenance the signer has signed itself, by their SHA-256, for each released repository: an index may
 * name these alone.
 *
 * @param repository absent: one of the two that bear a format's name
 */
export interface Ledger {
  has(sha256: string, repository?: string): Promise<boolean>;
  add(sha256: string, entry: LedgerEntry, repository?: string): Promise<void>;
}

export function openLedger(directory: string): Ledger {
  const pathOf = (sha256: string, repository = 'deb') => {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`not a SHA-256: ${JSON.stringify(sha256)}`);
    if (!/^[a-z][a-z0-9._-]*$/.test(repository)) throw new Error(`not a repository: ${JSON.stringify(repository)}`);
    // What was signed before there were lines is of the formats' own repositories.
    const home = isFormats(repository) ? directory : join(directory, 'lines', repository);
    return join(home, sha256.slice(0, 2), sha256.slice(2));
  };
  return {
    has: (sha256, repository) => exists(pathOf(sha256, repository)),
    async add(sha256, entry, repository) {
      const path = pathOf(sha256, repository);
      if (await exists(path)) return;
      await keep(path, `${JSON.stringify(entry)}\n`);
    },
  };
}

/** Writes a file that is there whole or not at all, in a directory that is made when absent. */
export async function keep(path: string, text: string): Promise<void> {
  const made = await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, text, { mode: 0o600 });
  if (made !== undefined) await syncName(made);
}
