import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEnvelope } from '../../pipelines/model/provenance.ts';
import type { PackageVersion } from '../../pipelines/policy/kept-versions.ts';
import { packageKey } from '../../pipelines/policy/release-plan.ts';
import { comesBack, isLost } from '../../pipelines/report/dropped.ts';
import type { ReleasedPackage } from '../report/types.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { checked } from '../repository/names.ts';
import { importBlob } from './import.ts';
import type { ReleaseDeps, StagedRelease } from './port.ts';
import { isPackage, provenanceIn, type StageOthers, stageChange, stageRemoval } from './stage.ts';

interface TakingBack extends StageOthers {
  /** Keys of the packages that go. */
  readonly remove: readonly string[];
  /** What the newest release that stays had put there. */
  readonly restore: readonly ReleasedPackage[];
  /** An empty directory. */
  readonly work: string;
}

/**
 * The state of a released repository without some packages, and with those that they, or their source, had put out.
 *
 * @throws RepositoryRefusal where it is not there
 */
export async function stageTakingBack(deps: ReleaseDeps, request: TakingBack): Promise<StagedRelease> {
  const { repository, remove, restore, work } = request;
  const missing = await deps.released.look(repository, async (tree) => {
    if (tree === null || restore.length === 0) return [];
    const there = new Set((await repositoryFormats[request.format].list(tree)).map(packageKey));
    const out = restore.filter((one) => !there.has(packageKey(one)) && !remove.includes(packageKey(one)));
    return Promise.all(out.map(async (one) => ({ one, name: await fileNameOf(tree, one) })));
  });
  const found: { readonly one: ReleasedPackage; readonly file: string }[] = [];
  const notes = new Set<string>();
  for (const { one, name } of missing) {
    const file = name === null ? null : await fetchFile(deps, one, join(work, checked('file name', name)));
    if (file === null) notes.add(isLost(one));
    else found.push({ one, file });
  }
  const files = found.map(({ file }) => file).filter(isPackage);
  for (const { one } of found) notes.add(comesBack(one));
  const staged =
    files.length === 0
      ? await stageRemoval(deps, { ...request, remove: new Set(remove) })
      : await stageChange(deps, request, { files, judge: async () => remove.map(versionOf) });
  return staged.outcome === 'staged' ? { ...staged, notes: [...notes] } : staged;
}

function versionOf(key: string): PackageVersion {
  const [name, version, arch] = JSON.parse(key) as [string, string, string];
  return { name, version, arch };
}

/** The file of a package as its statement calls it: that stays when the package goes. */
async function fileNameOf(tree: string, { name, digest }: ReleasedPackage): Promise<string | null> {
  const directory = provenanceIn(tree);
  const begins = [`${name}_`, `${name}-`];
  const all = await readdir(directory).catch(() => []);
  for (const statement of all.filter((one) => begins.some((prefix) => one.startsWith(prefix)))) {
    const { subject } = readEnvelope(await readFile(join(directory, statement), 'utf8')).statement;
    const own = subject.find((one) => `sha256:${one.digest?.sha256}` === digest);
    if (own?.name !== undefined) return own.name;
  }
  return null;
}

/** @returns null where the storage has it no more */
async function fetchFile(deps: ReleaseDeps, { digest }: ReleasedPackage, file: string): Promise<string | null> {
  try {
    await importBlob(deps, digest);
    await deps.store.fetch(digest, file);
    return file;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
