import { dirname, join } from 'node:path';
import { attestationFault } from '../../activities/attest/attestation.ts';
import { readBuilders } from '../../activities/attest/builder-key.ts';
import { makeOpenDirectory } from '../../activities/files/modes.ts';
import { writeWhole } from '../../activities/files/write.ts';
import type { MergedState, StateName } from '../../activities/git/merged.ts';
import { publicKeyFile } from '../../activities/repository/port.ts';
import { openLookup } from '../../activities/review/git/lookup.ts';
import { adoptReleased } from '../../activities/sign/adopt.ts';
import { type ArchiveKeys, type NamedKeys, openArchiveKeys, proveKeys } from '../../activities/sign/archive-keys.ts';
import { openLedger } from '../../activities/sign/ledger.ts';
import { leftKeys } from '../../activities/sign/left-keys.ts';
import { createSignActivities, type SignActivities } from '../../activities/sign/sign-activities.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import type { PackagesManifest } from '../../pipelines/model/artifact.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { DataPaths } from '../stack/paths.ts';
import { buildersDirectory } from '../stack/signer.ts';

export interface Signer {
  readonly activities: SignActivities;
  readonly fingerprint: string;
  /** Ends the keys' agents. */
  close(): Promise<void>;
}

export interface SignerOptions {
  readonly warn?: (message: string) => void;
  /** How a project's branches are looked up that another host than Sluice has; null for Sluice's own. */
  readonly elsewhere?: (project: string) => ((of: StateName) => Promise<MergedState | null>) | null;
  /** Whether a branch says what is merged: on any other nothing is. */
  readonly isGated?: (of: StateName) => Promise<boolean>;
  /** What is released where; absent: one repository for each format. */
  readonly rules?: ReleaseRules;
  /** Absent: one key, made at the first start. */
  readonly keys?: NamedKeys;
}

const oneForEach: ReleaseRules = { codename: '', lines: [] };
const noneNamed: NamedKeys = { sign: [], former: [] };

/**
 * Opens the signer in its own process: makes its key at the first start and shows the public half.
 *
 * What was released before it kept a ledger it takes over at the first start that finds none.
 *
 * @param paths `keys` and `publicKeys` must belong to the user that this process runs as.
 */
export async function openSigner(
  paths: DataPaths,
  {
    warn = console.warn,
    elsewhere = () => null,
    isGated = async () => true,
    rules = oneForEach,
    keys = noneNamed,
  }: SignerOptions = {},
): Promise<Signer> {
  const home = paths.keys;
  const { keys: archive, warnings } = await openArchiveKeys(home, keys);
  for (const late of await proveKeys(archive)) warn(late);
  for (const warning of warnings) warn(warning);
  await makeOpenDirectory(paths.publicKeys);
  await writeWhole(publicKeyPath(paths), await archive.publicKey());
  for (const left of await showOwnKeys(paths, archive, rules)) warn(left);
  const inbox = createFileBlobStore({ root: paths.storage, baseUrl: '' });
  const outbox = signedStore(paths);
  const ledger = join(home, 'ledger');
  for (const left of await adoptReleased({ ledger, keys: archive, released: paths.released }))
    warn(`left out: ${left}`);
  const served = openLookup({ hosts: paths.git, scratch: join(home, 'git') });
  const merged = async (of: StateName) => ((await isGated(of)) ? (elsewhere(of.project) ?? served)(of) : null);
  // Read for each build: an operator may add a worker while the signer runs.
  const fault = (manifest: PackagesManifest) => attestationFault(manifest, readBuilders(buildersDirectory(paths)));
  const deps = { keys: archive, inbox, outbox, proof: { merged, fault }, ledger: openLedger(ledger), rules };
  return { activities: createSignActivities(deps), fingerprint: archive.sign[0].id, close: archive.close };
}

/** Shows the keys of the repositories that have their own. @returns warnings about what they had before */
async function showOwnKeys(paths: DataPaths, archive: ArchiveKeys, rules: ReleaseRules): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const [repository, names] of Object.entries(rules.keys ?? {})) {
    const path = publicKeyPath(paths, repository);
    const { shown, publicKey } = archive.among(names);
    await makeOpenDirectory(dirname(path));
    await writeWhole(path, await publicKey());
    const left = await leftKeys(rules, { repository, tree: join(paths.released, repository), shown });
    if (left !== null) warnings.push(left);
  }
  return warnings;
}

/** What the signer has signed: it writes there, others only read. */
export function signedStore(paths: DataPaths) {
  return createFileBlobStore({ root: paths.publicKeys, baseUrl: '' });
}

/**
 * Where clients and mirrors find the released repositories' public keys, all of them.
 *
 * @param repository those of a repository that has keys of its own
 */
export function publicKeyPath({ publicKeys }: DataPaths, repository?: string): string {
  return repository === undefined
    ? join(publicKeys, publicKeyFile)
    : join(publicKeys, 'repositories', `${repository}.asc`);
}
