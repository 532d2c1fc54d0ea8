import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEnvelope } from '../../pipelines/model/provenance.ts';
import type { PackageVersion } from '../../pipelines/policy/kept-versions.ts';
import { packageKey } from '../../pipelines/policy/release-plan.ts';
import { comesBack, isLost, staysOut } from '../../pipelines/report/dropped.ts';
import { refusedBy } from '../../pipelines/report/walls.ts';
import { sha256 } from '../files/digest.ts';
import type { ReleasedPackage } from '../report/types.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { checked } from '../repository/names.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import { NoSuchBlob } from '../storage/no-such-blob.ts';
import { importBlob } from './import.ts';
import type { ReleaseDeps, StagedRelease } from './port.ts';
import { isPackage, provenanceIn, type StageOthers, stageChange, stageRemoval } from './stage.ts';
import type { StatedFile } from './verify-statement.ts';

interface TakingBack extends StageOthers {
  /** Keys of the packages that go. */
  readonly remove: readonly string[];
  /** What the newest release that stays had put there. */
  readonly restore: readonly ReleasedPackage[];
  /** An empty directory. */
  readonly work: string;
}

/** A package that may come back, with all of its files: those of a source are several. */
interface Returning extends PackageVersion {
  readonly files: readonly (StatedFile & { readonly path: string })[];
}

/**
 * The state of a released repository without some packages, and with those that they, or their source, had put out. What
 * cannot come back stays out, with a note: it does not keep there what is taken back.
 *
 * @throws RepositoryRefusal where it is not there
 */
export async function stageTakingBack(deps: ReleaseDeps, request: TakingBack): Promise<StagedRelease> {
  const back: Returning[] = [];
  const lost: string[] = [];
  for (const [index, parts] of (await missing(deps, request)).entries()) {
    const [{ one }] = parts;
    const files = await fetchAll(deps, parts, join(request.work, String(index)));
    if (files === null) lost.push(isLost(one));
    else back.push({ name: one.name, version: one.version, arch: one.arch, files });
  }
  return noted(await stageWith(deps, request, back), lost);
}

/** A file of a package, and how its statement calls it: that stays when the package goes. Null where none is about it. */
interface Part {
  readonly one: ReleasedPackage;
  readonly stated: StatedFile | null;
}

/** The files of what is to be there again and is not, for each package. */
function missing(deps: ReleaseDeps, { repository, format, restore, remove }: TakingBack) {
  return deps.released.look(repository, async (tree): Promise<readonly (readonly [Part, ...Part[]])[]> => {
    if (tree === null || restore.length === 0) return [];
    const there = new Set((await repositoryFormats[format].list(tree)).map(packageKey));
    const out = restore.filter((one) => !there.has(packageKey(one)) && !remove.includes(packageKey(one)));
    // Two platforms may have put out the same file.
    const unique = new Map(out.map((one) => [`${packageKey(one)} ${one.digest}`, one]));
    const stated = await statedFiles(tree, out);
    const parts = [...unique.values()].map((one) => ({ one, stated: stated.get(one.digest) ?? null }));
    const packages = Map.groupBy(parts, ({ one }) => packageKey(one));
    return [...packages.values()] as [Part, ...Part[]][];
  });
}

/** Stages what goes with what comes back; where that is refused, without what is to blame for it, or all of it. */
async function stageWith(deps: ReleaseDeps, request: TakingBack, back: readonly Returning[]): Promise<StagedRelease> {
  const { remove } = request;
  if (back.length === 0) return stageRemoval(deps, { ...request, remove: new Set(remove) });
  const files = back.flatMap((one) => one.files.map(({ path }) => path)).filter(isPackage);
  try {
    const staged = await stageChange(deps, request, { files, judge: async () => remove.map(versionOf) });
    return noted(staged, back.map(comesBack));
  } catch (error) {
    if (!(error instanceof RepositoryRefusal)) throw error;
    const out = await whyOut(deps, request, { back, otherwise: error.message });
    const staged = await stageWith(
      deps,
      request,
      back.filter((one) => !out.has(one)),
    );
    const reasons = Map.groupBy(out.keys(), (one) => out.get(one) ?? '');
    return noted(
      staged,
      [...reasons].map(([why, ones]) => staysOut(ones, why)),
    );
  }
}

interface RefusedBack {
  readonly back: readonly Returning[];
  /** What was said of all of them. */
  readonly otherwise: string;
}

/** What stays out, and why: each whose statements the publisher refuses; where it refuses none, all of them. */
async function whyOut(
  { verify }: ReleaseDeps,
  { format, repository }: TakingBack,
  { back, otherwise }: RefusedBack,
): Promise<ReadonlyMap<Returning, string>> {
  const out = new Map<Returning, string>();
  for (const one of back) {
    const why = await verify(one.files, { format, repository });
    if (why !== null) out.set(one, refusedBy('publisher', why));
  }
  return out.size > 0 ? out : new Map(back.map((one) => [one, otherwise]));
}

function noted(staged: StagedRelease, more: readonly string[]): StagedRelease {
  return staged.outcome === 'staged' ? { ...staged, notes: [...more, ...(staged.notes ?? [])] } : staged;
}

function versionOf(key: string): PackageVersion {
  const [name, version, arch] = JSON.parse(key) as [string, string, string];
  return { name, version, arch };
}

/** What statements are about, by its digest: those that may be about some packages, each of which is read once. */
async function statedFiles(
  tree: string,
  packages: readonly ReleasedPackage[],
): Promise<ReadonlyMap<string, StatedFile>> {
  const directory = provenanceIn(tree);
  const begins = [...new Set(packages.flatMap(({ name }) => [`${name}_`, `${name}-`]))];
  const found = new Map<string, StatedFile>();
  for (const statement of await readdir(directory).catch(() => [])) {
    if (!begins.some((prefix) => statement.startsWith(prefix))) continue;
    const envelope = await readFile(join(directory, statement), 'utf8');
    for (const { name, digest } of readEnvelope(envelope).statement.subject) {
      const hash = digest?.sha256;
      if (name !== undefined && hash !== undefined) found.set(`sha256:${hash}`, { name, sha256: hash, envelope });
    }
  }
  return found;
}

/** @returns null where not all of them are there as they were */
async function fetchAll(deps: ReleaseDeps, parts: readonly Part[], directory: string) {
  await mkdir(directory);
  const files: Returning['files'][number][] = [];
  for (const { one, stated } of parts) {
    if (stated === null) return null;
    const path = join(directory, checked('file name', stated.name));
    if (!(await fetchFile(deps, one, path))) return null;
    files.push({ ...stated, path });
  }
  return files;
}

/** @returns false where the storage has it no more as it was */
async function fetchFile(deps: ReleaseDeps, { digest }: ReleasedPackage, path: string): Promise<boolean> {
  try {
    await importBlob(deps, digest);
    await deps.store.fetch(digest, path);
  } catch (error) {
    if (error instanceof NoSuchBlob || error instanceof RepositoryRefusal) return false;
    throw error;
  }
  return `sha256:${await sha256(path)}` === digest;
}
