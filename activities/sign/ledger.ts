import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '../files/exists.ts';
import { syncName } from '../files/sync.ts';
import { writeWhole } from '../files/write.ts';

/** What the signer remembers of a file that it let pass: enough to tell an operator where it came from. */
export interface LedgerEntry {
  readonly file: string;
  /** Absent for what was released before there was a ledger. */
  readonly from?: { readonly project: string; readonly branch: string; readonly commit: string; readonly tree: string };
  readonly manifest?: string;
  /** RFC 3339, UTC. */
  readonly time: string;
}

/** The files whose provenance the signer has signed itself, by their SHA-256: an index may name these alone. */
export interface Ledger {
  has(sha256: string): Promise<boolean>;
  add(sha256: string, entry: LedgerEntry): Promise<void>;
}

export function openLedger(directory: string): Ledger {
  const pathOf = (sha256: string) => {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`not a SHA-256: ${JSON.stringify(sha256)}`);
    return join(directory, sha256.slice(0, 2), sha256.slice(2));
  };
  return {
    has: (sha256) => exists(pathOf(sha256)),
    async add(sha256, entry) {
      const path = pathOf(sha256);
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
