import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { versionRules } from '../../pipelines/formats/format.ts';
import type { PackageFormat, PackagesManifest } from '../../pipelines/model/artifact.ts';
import { readEnvelope } from '../../pipelines/model/provenance.ts';
import { keptIn, lineOf, separatesDebug } from '../../pipelines/model/release-line.ts';
import { someOf } from '../../pipelines/model/words.ts';
import { downgrades } from '../../pipelines/policy/kept-versions.ts';
import { packageKey } from '../../pipelines/policy/release-plan.ts';
import { refusedBy } from '../../pipelines/report/walls.ts';
import { sayAbsent } from '../repository/extras.ts';
import { linkFile } from '../repository/files.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { checked } from '../repository/names.ts';
import {
  type InspectedPackage,
  type ListedPackage,
  type RepositoryFormat,
  RepositoryRefusal,
} from '../repository/port.ts';
import type { Coming } from '../repository/state.ts';
import { readManifest } from '../storage/manifest.ts';
import type { StateContent, StateFiles } from '../storage/port.ts';
import { importBlob, readImported } from './import.ts';
import { judgeRelease } from './judge.ts';
import { otherLine } from './line.ts';
import type { ReleaseDeps, SignedStep, StagedRelease } from './port.ts';

/** Where a released repository keeps the provenance of its files, as `FILE.intoto.jsonl`. */
export function provenanceIn(tree: string): string {
  return join(tree, 'provenance');
}

/** Whether a file is a package by itself, not a part of one. */
export function isPackage(file: string): boolean {
  return /\.(u?deb|dsc|rpm)$/.test(file);
}

interface Stage extends SignedStep {
  readonly work: string;
}

/** @throws RepositoryRefusal for a package without provenance, or one that something newer has overtaken. */
export async function stageRelease(deps: ReleaseDeps, input: Stage): Promise<StagedRelease> {
  const { format, platform, source } = await readManifest(deps.store, input.manifest);
  const line = lineOf(deps.rules, { format, platform, branch: source.branch });
  // Of one commit, each platform has a release of its own.
  const name = `staged-${checked('file name', input.release)}-${checked('file name', platform)}`;
  return stageBuilds(deps, { ...line, format, name, builds: [input, ...(input.beside ?? [])], work: input.work });
}

/** What one released repository is to get in one go. */
export interface StageBuilds {
  readonly repository: string;
  readonly codename: string;
  readonly format: PackageFormat;
  /** Of the state, while it waits. */
  readonly name: string;
  readonly builds: readonly Omit<Stage, 'work' | 'release' | 'beside'>[];
  readonly work: string;
  /** Told of the state that was made, and the one before it. */
  readonly look?: (at: StateFiles) => Promise<void>;
}

/** The same for several builds of one repository. @throws RepositoryRefusal likewise */
export async function stageBuilds(deps: ReleaseDeps, request: StageBuilds): Promise<StagedRelease> {
  const { repository, codename, name, builds, look } = request;
  const format = repositoryFormats[request.format];
  const read = await Promise.all(
    builds.map((build, position) => readBuild(deps, format, { ...build, work: join(request.work, String(position)) })),
  );
  const inspected = read.flatMap((one) => one.inspected);
  const refuseOlder = async (tree: string | null) => {
    requireNewest(format, tree === null ? [] : await format.list(tree), inspected);
    return tree;
  };
  const files = read.flatMap((one) => one.files);
  const settings = { origin: deps.origin, codename, debug: separatesDebug(deps.rules, repository) };
  const statements = new Map(read.flatMap((one) => [...one.statements]));
  const released = { format, keep: keptIn(deps.rules, repository), manifests: read.map(({ manifest }) => manifest) };
  let notes: readonly string[] = [];
  const judge = async (coming: Coming) => {
    const verdict = await judgeRelease(released, coming);
    notes = verdict.notes;
    return verdict.out;
  };
  const stage = async () => {
    const seen = await deps.released.look(repository, refuseOlder);
    // The build's time would go backwards when an older build is released later.
    const content = { format, files, settings, date: new Date(), judge };
    return deps.released.stage({ repository, name }, content, async (at) => {
      // Another release may have come between.
      if (at.before !== seen) await refuseOlder(at.before);
      const index = await complete(deps, { format, at: { ...at, repository }, statements });
      await look?.(at);
      return index;
    });
  };
  const staged = await stage().catch((error: Error) => explain(deps, { error, format, repository, builds: read }));
  if (staged === null) return { outcome: 'unchanged', repository };
  const all = [...staged.notes, ...notes];
  return { outcome: 'staged', repository, name, before: staged.before, ...staged.done, notes: all };
}

/** The state of a released repository without some of its packages. @throws RepositoryRefusal where it is not there */
export function stageRemoval(
  deps: ReleaseDeps,
  request: StageOthers & { readonly remove: ReadonlySet<string> },
): Promise<StagedRelease> {
  return stageChange(deps, request, { remove: (one) => request.remove.has(packageKey(one)) });
}

/** What a state is to be called that gets no packages. */
export type StageOthers = Pick<StageBuilds, 'repository' | 'format' | 'name' | 'look'>;

/** The state of a released repository with something else than new packages. */
export async function stageChange(
  deps: ReleaseDeps,
  { repository, name, look, ...request }: StageOthers,
  change: Partial<Pick<StateContent, 'remove' | 'extras' | 'files' | 'judge'>>,
): Promise<StagedRelease> {
  const format = repositoryFormats[request.format];
  const content = { format, files: [], settings: {}, date: new Date(), ...change };
  let notes: readonly string[] = [];
  const staged = await deps.released.stage({ repository, name }, content, async (at) => {
    const index = await complete(deps, { format, at: { ...at, repository }, statements: new Map() });
    if (change.extras !== undefined) notes = await sayAbsent(format, at.tree);
    await look?.(at);
    return index;
  });
  if (staged === null) return { outcome: 'unchanged', repository };
  return { outcome: 'staged', repository, name, before: staged.before, ...staged.done, notes };
}

/** A build with its signed files at hand. */
interface ReadBuild {
  readonly manifest: PackagesManifest;
  readonly statements: ReadonlyMap<string, string>;
  readonly files: readonly string[];
  readonly inspected: readonly InspectedPackage[];
}

async function readBuild(
  deps: ReleaseDeps,
  format: RepositoryFormat,
  input: Omit<Stage, 'release' | 'beside'>,
): Promise<ReadBuild> {
  const [manifest, statements] = await Promise.all([
    readManifest(deps.store, input.manifest),
    readStatements(deps, input),
  ]);
  await mkdir(input.work);
  const files = await fetchSigned(deps, input);
  return { manifest, statements, files, inspected: await Promise.all(files.map((file) => format.inspect(file))) };
}

/** A state on its way into a released repository. */
export interface LineFiles extends StateFiles {
  readonly repository: string;
}

type Indexes = Pick<Extract<StagedRelease, { outcome: 'staged' }>, 'index' | 'also'>;

interface Completion {
  readonly format: RepositoryFormat;
  readonly at: LineFiles;
  readonly statements: ReadonlyMap<string, string>;
}

/** Adds the statements, and shows the signer what the indexes lead to. @returns the indexes */
async function complete(deps: ReleaseDeps, { format, at, statements }: Completion): Promise<Indexes> {
  await placeProvenance(at, statements);
  await requireProvenance(format, at.tree);
  await requireVerified(deps, format, at);
  // The signer reads the lists that the index names: by their digests, as everything else.
  for (const { path } of await format.vouched(at.tree)) await deps.store.put({ path: join(at.tree, path) });
  const roots = format.signedRoots(await format.settings(at.tree));
  const [index, ...also] = await Promise.all(roots.map(({ root }) => deps.store.put({ path: join(at.tree, root) })));
  if (index === undefined) throw new Error('the storage answered with nothing');
  return also.length === 0 ? { index } : { index, also: also.map(({ digest }) => digest) };
}

interface Refused {
  readonly error: Error;
  readonly format: RepositoryFormat;
  readonly repository: string;
  readonly builds: readonly Pick<ReadBuild, 'inspected' | 'manifest'>[];
}

/** @throws the error, with a better reason where there is one */
async function explain({ released }: ReleaseDeps, { error, format, repository, builds }: Refused): Promise<never> {
  if (!(error instanceof RepositoryRefusal)) throw error;
  const line = await released.look(repository, async (tree) => {
    if (tree === null) return null;
    const there = { tree, packages: await format.list(tree), statementPath };
    for (const { inspected, manifest } of builds) {
      const found = await otherLine(there, inspected, manifest);
      if (found !== null) return found;
    }
    return null;
  });
  throw line === null ? error : new RepositoryRefusal(`${error.message}. ${line}`);
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
  { tree, before, repository }: LineFiles,
): Promise<void> {
  const known = new Set(
    before === null ? [] : (await format.list(before)).flatMap(filesOf).map(({ sha256 }) => sha256),
  );
  const fresh = (await format.list(tree)).flatMap(filesOf).filter(({ sha256 }) => !known.has(sha256));
  const stated = fresh.map(async ({ path, sha256 }) => {
    const name = path.split('/').at(-1) ?? '';
    return { name, sha256, envelope: await readFile(statementPath(tree, name), 'utf8').catch(() => null) };
  });
  const why = await verify(await Promise.all(stated), { format: format.id, repository });
  if (why !== null) throw new RepositoryRefusal(refusedBy('publisher', why));
}

function filesOf({ path, sha256, parts }: ListedPackage): readonly Pick<ListedPackage, 'path' | 'sha256'>[] {
  return [{ path, sha256 }, ...parts];
}

function statementPath(tree: string, name: string): string {
  return join(provenanceIn(tree), `${name}.intoto.jsonl`);
}

function requireNewest(
  format: RepositoryFormat,
  there: readonly ListedPackage[],
  files: readonly InspectedPackage[],
): void {
  const found = downgrades(files, there, versionRules[format.id].compareVersions);
  if (found.length === 0) return;
  const told = found.map(
    ({ older, newer }) => `${older.name} ${older.version} is older than ${newer.version}, which is released already`,
  );
  throw new RepositoryRefusal(someOf([...new Set(told)]));
}

/** The envelopes by the name of the file that each is about. */
async function readStatements(
  deps: ReleaseDeps,
  { envelopes }: Pick<Stage, 'envelopes'>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { digest } of envelopes) {
    const text = await readImported(deps, digest);
    for (const { name } of readEnvelope(text).statement.subject) found.set(checked('file name', name ?? ''), text);
  }
  return found;
}

async function fetchSigned(deps: ReleaseDeps, { signed, work }: Pick<Stage, 'signed' | 'work'>): Promise<string[]> {
  const files: string[] = [];
  for (const { name, after } of signed) {
    await importBlob(deps, after.digest);
    const file = join(work, checked('file name', name));
    await deps.store.fetch(after.digest, file);
    files.push(file);
  }
  return files.filter(isPackage);
}

async function placeProvenance({ tree, before }: StateFiles, statements: ReadonlyMap<string, string>): Promise<void> {
  const directory = provenanceIn(tree);
  await mkdir(directory, { recursive: true });
  const there = provenanceIn(before ?? '');
  const old = before === null ? [] : await readdir(there).catch(() => []);
  for (const name of old) await linkFile(join(there, name), join(directory, name));
  for (const [name, text] of statements) {
    const path = join(directory, `${name}.intoto.jsonl`);
    // A file that was released before keeps the statement of its release.
    await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
