import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { versionRules } from '../../pipelines/formats/format.ts';
import type { BlobRef, PackagesManifest } from '../../pipelines/model/artifact.ts';
import { readEnvelope } from '../../pipelines/model/provenance.ts';
import { refusedBy } from '../../pipelines/report/walls.ts';
import { linkFile } from '../repository/files.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { currentTree, generationsOf, waitForTree } from '../repository/generations.ts';
import { checked } from '../repository/names.ts';
import {
  type InspectedPackage,
  type ListedPackage,
  type RepositoryFormat,
  RepositoryRefusal,
} from '../repository/port.ts';
import { stageTree } from '../repository/publish.ts';
import { readManifest } from '../storage/manifest.ts';
import { importBlob } from './import.ts';
import { otherLine } from './line.ts';
import type { ReleaseDeps, ReleaseStep, StagedRelease } from './port.ts';

/** Where a released repository keeps the provenance of its files, as `FILE.intoto.jsonl`. */
const provenanceDirectory = 'provenance';

interface Stage extends ReleaseStep {
  readonly envelopes: readonly BlobRef[];
  readonly work: string;
}

/** @throws RepositoryRefusal for a package without provenance, or one that something newer has overtaken. */
export async function stageRelease(deps: ReleaseDeps, input: Stage): Promise<StagedRelease> {
  const manifest = await readManifest(deps.store, input.manifest);
  const format = repositoryFormats[manifest.format];
  const dir = join(deps.released, manifest.format);
  await mkdir(deps.released, { recursive: true });
  const statements = await readStatements(deps, input);
  const files = await fetchSigned(deps, input);
  const before = await currentTree(await generationsOf(dir));
  const inspected = await Promise.all(files.map((file) => format.inspect(file)));
  const there = before === null ? [] : await format.list(before);
  const settings = { origin: deps.origin, codename: codenameOf(deps, manifest) };
  const name = `staged-${checked('file name', input.release)}-${manifest.format}`;
  // The build's time would go backwards when an older build is released later.
  const date = new Date();
  const stage = async () => {
    requireNewest(format, there, inspected);
    return stageTree(format, { dir, files, settings, date, name });
  };
  const staged = await stage().catch(async (error: Error) => {
    if (!(error instanceof RepositoryRefusal) || before === null) throw error;
    const line = await otherLine({ tree: before, packages: there, statementPath }, inspected, manifest);
    throw line === null ? error : new RepositoryRefusal(`${error.message}. ${line}`);
  });
  if (staged === null) return { outcome: 'unchanged' };
  await placeProvenance(staged.tree, staged.before, statements);
  await requireProvenance(format, staged.tree);
  await requireVerified(deps, format, { tree: staged.tree, before: staged.before });
  // The signer reads the lists that the index names: by their digests, as everything else.
  for (const { path } of await format.vouched(staged.tree)) await deps.store.put({ path: join(staged.tree, path) });
  // It waits for its signatures: what happens meanwhile must not take anything of it.
  await waitForTree(staged.tree, staged.before, staged.settled);
  const index = await deps.store.put({ path: join(staged.tree, format.rootIndex(staged.state.settings)) });
  return { outcome: 'staged', name, before: staged.before, index };
}

/** @throws RepositoryRefusal naming the first package whose file no statement vouches for. */
export async function requireProvenance(format: RepositoryFormat, tree: string): Promise<void> {
  for (const one of await format.list(tree)) {
    const name = one.path.split('/').at(-1) ?? '';
    const text = await readFile(statementPath(tree, name), 'utf8').catch(() => null);
    if (text === null) throw new RepositoryRefusal(`${name} has no provenance statement`);
    const { subject } = readEnvelope(text).statement;
    if (subject.some(({ digest }) => digest?.sha256 === one.sha256)) continue;
    throw new RepositoryRefusal(`the provenance statement of ${name} is about other content`);
  }
}

/**
 * The publisher's own look: what a tree has more than the one before it is proven by a statement each, about this very
 * content and signed by the archive's key, and its tree is on the merged branch.
 *
 * @throws RepositoryRefusal naming the first file that is not
 */
export async function requireVerified(
  { verify }: Pick<ReleaseDeps, 'verify'>,
  format: RepositoryFormat,
  { tree, before }: { readonly tree: string; readonly before: string | null },
): Promise<void> {
  const known = new Set(
    before === null ? [] : (await format.list(before)).flatMap(filesOf).map(({ sha256 }) => sha256),
  );
  const fresh = (await format.list(tree)).flatMap(filesOf).filter(({ sha256 }) => !known.has(sha256));
  const stated = fresh.map(async ({ path, sha256 }) => {
    const name = path.split('/').at(-1) ?? '';
    return { name, sha256, envelope: await readFile(statementPath(tree, name), 'utf8').catch(() => null) };
  });
  const why = await verify(await Promise.all(stated));
  if (why !== null) throw new RepositoryRefusal(refusedBy('publisher', why));
}

function filesOf({ path, sha256, parts }: ListedPackage): readonly Pick<ListedPackage, 'path' | 'sha256'>[] {
  return [{ path, sha256 }, ...parts];
}

function statementPath(tree: string, name: string): string {
  return join(tree, provenanceDirectory, `${name}.intoto.jsonl`);
}

function requireNewest(
  format: RepositoryFormat,
  there: readonly ListedPackage[],
  files: readonly InspectedPackage[],
): void {
  const { compareVersions } = versionRules[format.id];
  for (const { name, version, arch } of files) {
    const newer = there.find(
      (one) => one.name === name && one.arch === arch && compareVersions(one.version, version) > 0,
    );
    if (newer === undefined) continue;
    throw new RepositoryRefusal(`${name} ${version} is older than ${newer.version}, which is released already`);
  }
}

/** The envelopes by the name of the file that each is about. */
async function readStatements(deps: ReleaseDeps, { envelopes }: Stage): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { digest } of envelopes) {
    await importBlob(deps, digest);
    const text = (await deps.store.read(digest)).toString();
    for (const { name } of readEnvelope(text).statement.subject) found.set(checked('file name', name ?? ''), text);
  }
  return found;
}

async function fetchSigned(deps: ReleaseDeps, { signed, work }: Stage): Promise<string[]> {
  const files: string[] = [];
  for (const { name, after } of signed) {
    await importBlob(deps, after.digest);
    const file = join(work, checked('file name', name));
    await deps.store.fetch(after.digest, file);
    files.push(file);
  }
  return files.filter((file) => /\.(u?deb|dsc|rpm)$/.test(file));
}

async function placeProvenance(
  tree: string,
  before: string | null,
  statements: ReadonlyMap<string, string>,
): Promise<void> {
  const directory = join(tree, provenanceDirectory);
  await mkdir(directory, { recursive: true });
  const old = before === null ? [] : await readdir(join(before, provenanceDirectory)).catch(() => []);
  for (const name of old) await linkFile(join(before ?? '', provenanceDirectory, name), join(directory, name));
  for (const [name, text] of statements) {
    const path = join(directory, `${name}.intoto.jsonl`);
    // A file that was released before keeps the statement of its release.
    await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

function codenameOf(deps: ReleaseDeps, { format, platform }: PackagesManifest): string {
  return format === 'deb' ? deps.codename(platform) : '';
}
