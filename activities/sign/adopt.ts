import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../files/exists.ts';
import { syncTree } from '../files/sync.ts';
import { moveWhole } from '../files/write.ts';
import { verifySigned } from '../keys/verify.ts';
import { listFiles } from '../repository/files.ts';
import { repositoryFormats } from '../repository/formats.ts';
import type { ArchiveKeys } from './archive-keys.ts';
import { offeredFiles, type ReadContent } from './check-index.ts';
import { openLedger } from './ledger.ts';

type OwnKeys = Pick<ArchiveKeys, 'publicKey'>;

export interface Adoption {
  /** The ledger's directory: once it is there nothing is adopted any more. */
  readonly ledger: string;
  readonly keys: OwnKeys;
  /** Directory of the released repositories, one for each format. */
  readonly released: string;
}

/**
 * Takes what was released before there was a ledger into it, once: the packages of the repositories that are shown,
 * where this very key has signed the index.
 *
 * @returns names of the repositories that were left out, with the reason: what they hold has to be released anew
 */
export async function adoptReleased({ ledger, keys, released }: Adoption): Promise<readonly string[]> {
  if (await exists(ledger)) return [];
  const fresh = `${ledger}.new`;
  await rm(fresh, { recursive: true, force: true });
  const entries = openLedger(fresh);
  const left: string[] = [];
  for (const id of ['deb', 'rpm'] as const) {
    const tree = join(released, id);
    if (!(await exists(tree))) continue;
    try {
      for (const { name, sha256 } of await shownFiles(keys, tree, id)) {
        await entries.add(sha256, { file: name, time: new Date().toISOString() });
      }
    } catch (error) {
      left.push(`${tree}: ${error instanceof Error ? error.message : error}`);
    }
  }
  await mkdir(fresh, { recursive: true });
  await writeFile(join(fresh, 'adopted'), `${new Date().toISOString()}\n`);
  await syncTree(fresh);
  await moveWhole(fresh, ledger);
  return left;
}

async function shownFiles(keys: OwnKeys, tree: string, id: 'deb' | 'rpm') {
  const format = repositoryFormats[id];
  const settings = await format.settings(tree);
  const offered = format.signedRoots(settings).map(async ({ root, detached }) => {
    const text = await readFile(join(tree, root), 'utf8');
    await requireOwn(keys, text, await readFile(join(tree, detached), 'utf8'));
    return offeredFiles(text, readerOf(tree));
  });
  return (await Promise.all(offered)).flat();
}

/** Reads files of a tree by their digest: what is not what the index says is not found. */
function readerOf(tree: string): ReadContent {
  const known = new Map<string, string>();
  return async (sha256) => {
    if (known.size === 0) {
      for (const path of (await listFiles(tree)).filter((each) => /(^|\/)(dists|repodata)\//.test(each))) {
        known.set(
          createHash('sha256')
            .update(await readFile(join(tree, path)))
            .digest('hex'),
          path,
        );
      }
    }
    const path = known.get(sha256);
    if (path === undefined) throw new Error(`the index leads to ${sha256}, which is not there`);
    return readFile(join(tree, path));
  };
}

async function requireOwn(keys: OwnKeys, text: string, signature: string): Promise<void> {
  const found = (await verifySigned(await keys.publicKey(), { signature, text })) ?? [];
  if (found.length === 0) throw new Error('its index is not signed by the key of this installation');
}
