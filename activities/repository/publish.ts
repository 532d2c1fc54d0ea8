import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../files/exists.ts';
import { openTree } from '../files/modes.ts';
import type { ExtrasWish } from './extras.ts';
import { fillTree } from './fill.ts';
import {
  asWriter,
  currentTree,
  type Generations,
  generationsOf,
  type InUse,
  newTree,
  nextName,
  type Settled,
  showTree,
} from './generations.ts';
import { type IndexSigner, type PackageId, publicKeyFile, type RepositoryFormat, RepositoryRefusal } from './port.ts';
import { refuseReleased } from './released.ts';
import { isSigned, type MadeSignatures, makeSignatures, writeSignatures } from './signature.ts';
import { noteStaged, noteStanding, readStaged, type Standing, settleLast, settleStanding } from './standing.ts';
import {
  addedState,
  describedState,
  keyOf,
  movedKeys,
  type RepositoryState,
  remainingState,
  type StateRequest,
} from './state.ts';
import { type TreePlan, writeTree } from './tree.ts';

export interface PublishRequest extends StateRequest {
  readonly dir: string;
  readonly signer?: IndexSigner;
  readonly date: Date;
  /** How long what only an older index names stays for clients that have read it; seconds, 0: three states. */
  readonly keepFormer?: number;
}

export interface RemoveRequest extends Change {
  readonly remove: (one: PackageId) => boolean;
}

export interface Publication {
  /** False when the repository already was so. */
  readonly changed: boolean;
  readonly added: readonly PackageId[];
  readonly removed: readonly PackageId[];
  /** Number of packages in the state that readers now see. */
  readonly packages: number;
  /** What whoever publishes should know. */
  readonly notes: readonly string[];
}

/** Seconds that a writer waits for another one. */
const writerWait = 3600;

/**
 * Adds packages to the repository at `dir`. Readers see the state before or the state after, never a mixture.
 *
 * @throws RepositoryRefusal when a package is there with the same name and version and other content.
 */
export function publishPackages(format: RepositoryFormat, request: PublishRequest): Promise<Publication> {
  return change(format, request, (before, signal) => addedState(format, before, { ...request, signal }));
}

/** Takes packages out of the index; their files stay for clients that have read an older index. */
export function removePackages(format: RepositoryFormat, request: RemoveRequest): Promise<Publication> {
  return change(format, request, (before) => remainingState(format, before, request.remove));
}

/** Gives a repository other advisories, groups or modules, or takes them away. @throws RepositoryRefusal for a fault */
export function describePackages(
  format: RepositoryFormat,
  request: Change & { readonly extras: ExtrasWish },
): Promise<Publication> {
  return change(format, request, (before) => describedState(format, before, request.extras));
}

/** Makes a repository that never changes at `tree`, whatever stood there; for the caller to move into place. */
export async function buildRepository(
  format: RepositoryFormat,
  tree: string,
  request: StateRequest & { readonly date: Date },
): Promise<void> {
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  await writeTree(format, tree, { state: await addedState(format, null, request), date: request.date });
  await openTree(tree);
}

const day = 86_400_000;

/**
 * The date of a new state. APT keeps to the index with the newest date that it has seen, and says nothing: where the
 * clock was set back, the state is dated as the one before. One that is a day ahead was a mistake, and no client has it.
 */
async function dateAfter(format: RepositoryFormat, before: string | null, now: Date): Promise<Date> {
  const last = before === null ? Number.NaN : await format.dated(before);
  return last > now.getTime() && last < now.getTime() + day ? new Date(last) : now;
}

type Change = Pick<PublishRequest, 'dir' | 'signer' | 'date' | 'keepFormer'>;

async function change(
  format: RepositoryFormat,
  { dir, ...given }: Change,
  next: (before: string | null, signal: AbortSignal) => Promise<RepositoryState>,
): Promise<Publication> {
  const signer = given.signer === undefined ? undefined : askedOnce(given.signer);
  const generations = await generationsOf(dir);
  await refuseReleased(generations.dir);
  // A key that is refused leaves nothing of a new repository.
  if (!(await exists(generations.home))) await signer?.publicKey();
  return asWriter(generations, writerWait, async () => {
    const before = await currentTree(generations);
    const state = await unlessRefused((signal) => next(before, signal), signer);
    const answer = summary(state);
    const unsigned = signer !== undefined && (await needsSignatures(format, { before, state, signer }));
    if (before !== null && !state.changed && !unsigned) return { ...answer, changed: false };
    if (before !== null && signer === undefined && (await isSigned(before))) {
      throw new RepositoryRefusal(`${dir} is signed: name the key with --sign`);
    }
    const date = await dateAfter(format, before, given.date);
    const tree = await newTree(generations);
    // Of some formats the index alone is signed, which every publication does.
    const resign = unsigned && format.unsigned !== null;
    const signing: Partial<IndexSigning> =
      signer === undefined ? {} : signingOf(format, tree, { state, signer, resign });
    const made = { generations, now: given.date, keepFormer: given.keepFormer };
    const { standing, ...settled } = await fillTree(format, tree, { state, date, ...signing.plan }, made);
    const signed = signing.place?.();
    const noted = notedName(generations, standing);
    // Where one fails, the other may still be writing: the next writer comes after both.
    await Promise.allSettled([noted, signed]);
    const [name] = await Promise.all([noted, signed]);
    await showTree(generations, tree, settled);
    await settleStanding(generations, name);
    return { ...answer, changed: true };
  });
}

/** The signer for one publication: of its key it is asked once, and at once, beside what else there is to do. */
function askedOnce(signer: IndexSigner): IndexSigner {
  const key = signer.publicKey();
  // Whoever asks hears of it.
  key.catch(() => {});
  return { ...signer, publicKey: () => key };
}

/** What comes of reading; a key that is refused is heard of at once, and ends what is still read. */
function unlessRefused<T>(read: (signal: AbortSignal) => Promise<T>, signer: IndexSigner | undefined): Promise<T> {
  const end = new AbortController();
  const reading = read(end.signal);
  if (signer === undefined) return reading;
  const refused = (error: unknown) => {
    end.abort(error);
    throw error;
  };
  return Promise.race([reading, signer.publicKey().then(() => reading, refused)]);
}

/** How the index of a tree is signed while the tree is filled. */
interface IndexSigning {
  readonly plan: Pick<TreePlan, 'signer' | 'resign' | 'indexed'>;
  /** Puts the signatures beside the index. */
  place(): Promise<void>;
}

/** GnuPG signs as soon as the index is written, beside what is left to do: what fails then takes the signatures with it. */
function signingOf(
  format: RepositoryFormat,
  tree: string,
  { state: { settings }, signer, resign }: Pick<Signing, 'state' | 'signer'> & { readonly resign: boolean },
): IndexSigning {
  let made: Promise<MadeSignatures> | undefined;
  const indexed = () => {
    made = makeSignatures(format, tree, { settings, signer });
    // Whoever places them hears of it.
    made.catch(() => {});
  };
  const place = async () => {
    if (made === undefined) throw new Error(`the index of ${tree} was not written`);
    await writeSignatures(tree, format.signedRoots(settings), await made);
  };
  return { plan: { signer, resign, indexed }, place };
}

/** Notes what a tree holds under the name that it will be shown by. @returns the name */
async function notedName(generations: Generations, standing: Standing | null): Promise<string> {
  await settleLast(generations);
  const name = await nextName(generations);
  await noteStanding(generations, name, standing);
  return name;
}

interface Signing {
  readonly before: string | null;
  readonly state: RepositoryState;
  readonly signer: IndexSigner;
}

/**
 * Whether what stays needs the signer's signature: clients know one key of a repository, so that of another key, or
 * none, is refused. Packages are asked for it where they come from elsewhere, or where nothing comes.
 */
async function needsSignatures(format: RepositoryFormat, { before, state, signer }: Signing): Promise<boolean> {
  const key = await signer.publicKey();
  const known = before === null ? null : await readFile(join(before, publicKeyFile), 'utf8').catch(() => null);
  if (known !== key) return true;
  if (format.unsigned === null) return false;
  const { foreign } = state;
  const asked = state.added.length === 0 && foreign.length === 0 ? await state.kept() : foreign;
  return (
    (
      await format.unsigned(
        asked.map(({ tree, path }) => join(tree, path)),
        key,
      )
    ).length > 0
  );
}

/** A tree that is complete but for the signatures of its index, and not shown yet. */
export interface StagedTree {
  readonly generations: Generations;
  readonly tree: string;
  readonly before: string | null;
  readonly state: RepositoryState;
  /** What it shares with the tree before, as it stands. */
  readonly settled?: Settled;
}

interface StagedRequest extends PublishRequest {
  readonly name: string;
  /** Given, nothing else happens. */
  readonly remove?: RemoveRequest['remove'];
  /** The same. */
  readonly extras?: ExtrasWish;
}

/** The first half of a publication whose index is signed elsewhere; null when nothing would change. */
export async function stageTree(format: RepositoryFormat, request: StagedRequest): Promise<StagedTree | null> {
  const generations = await generationsOf(request.dir);
  return asWriter(generations, writerWait, async () => {
    const before = await currentTree(generations);
    const state = await stagedState(format, before, request);
    if (before !== null && !state.changed) return null;
    const date = await dateAfter(format, before, request.date);
    const tree = await newTree(generations, request.name);
    const made = { generations, now: request.date, keepFormer: request.keepFormer };
    const { standing, ...settled } = await fillTree(format, tree, { state, date }, made);
    await noteStaged(tree, standing);
    return { generations, tree, before, state, ...settled };
  });
}

function stagedState(
  format: RepositoryFormat,
  before: string | null,
  { remove, extras, ...request }: StagedRequest,
): Promise<RepositoryState> {
  if (extras !== undefined) return describedState(format, before, extras);
  return remove === undefined ? addedState(format, before, request) : remainingState(format, before, remove);
}

/**
 * The second half: shows the tree unless another publication came between.
 *
 * @returns false when the tree was made from a state that is no longer shown: stage again.
 */
export function showStaged(
  { generations, tree, before }: Pick<StagedTree, 'generations' | 'tree' | 'before'>,
  inUse?: InUse,
): Promise<boolean> {
  return asWriter(generations, writerWait, async () => {
    if ((await currentTree(generations)) !== before) return false;
    const name = await notedName(generations, await readStaged(tree));
    await showTree(generations, tree, inUse === undefined ? {} : { inUse });
    await settleStanding(generations, name);
    return true;
  });
}

function summary(state: RepositoryState): Omit<Publication, 'changed'> {
  const moved = movedKeys(state);
  const idsOf = (packages: readonly PackageId[]) =>
    packages.filter((one) => !moved.has(keyOf(one))).map(({ name, version, arch }) => ({ name, version, arch }));
  return {
    added: idsOf(state.added),
    removed: idsOf(state.removed),
    packages: state.count + state.added.length,
    notes: state.notes,
  };
}
