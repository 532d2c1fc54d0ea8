import { type ExtraKind, extraKinds } from '../../pipelines/formats/rpm/extra-kinds.ts';
import { type Extra, type ExtraText, type RepositoryFormat, RepositoryRefusal } from './port.ts';

/** What the next state of a repository has beside its packages. */
export interface NextExtras {
  readonly changed: boolean;
  readonly extras: readonly Extra[];
  /** What whoever publishes should know of it. */
  readonly notes: readonly string[];
}

/** What a tree that was made here has beside its packages. */
export async function keptExtras({ extras }: RepositoryFormat, tree: string | null): Promise<readonly Extra[]> {
  return tree === null || extras === null ? [] : extras.kept(tree);
}

/**
 * What `before` has, and of `base` what that has not: of advisories, groups or modules of one's own nothing is replaced
 * unasked.
 */
export async function extrasFrom(
  format: RepositoryFormat,
  before: string | null,
  base: string | undefined,
): Promise<NextExtras> {
  const own = await keptExtras(format, before);
  if (format.extras === null || base === undefined) return { changed: false, extras: own, notes: [] };
  const { make, read } = format.extras;
  const { texts, left } = await read(base);
  // What clients cannot read is no reason to do without the packages.
  const refused: RepositoryRefusal[] = [];
  const tried = texts.map((one) =>
    make(one).catch((error) => {
      if (!(error instanceof RepositoryRefusal)) throw error;
      refused.push(error);
      return [];
    }),
  );
  const made = (await Promise.all(tried)).flat();
  const fresh = made.filter(({ kind }) => !own.some((one) => one.kind === kind));
  const other = made.filter(({ kind, path }) => own.some((one) => one.kind === kind && one.path !== path));
  const notes = [
    ...refused.map(({ message }) => `left out: ${message}`),
    ...other.map(({ kind }) => `${kind} of ${base} is left out: there is another one (see \`sluice repo metadata\`)`),
    ...left.map((type) => `${type} of ${base} is left out: nothing is known of it here`),
  ];
  return { changed: fresh.length > 0, extras: inOrder([...own, ...fresh]), notes };
}

/** What is given instead of what is there, or taken away. */
export interface ExtrasWish {
  readonly given: readonly ExtraText[];
  readonly remove: readonly ExtraKind[];
}

/** What `before` has with what is wished for. @throws RepositoryRefusal with file and line of a fault */
export async function extrasWished(
  format: RepositoryFormat,
  before: string,
  { given, remove }: ExtrasWish,
): Promise<NextExtras> {
  const { extras: side } = format;
  if (side === null) throw new RepositoryRefusal('an APT repository has no updateinfo, comps or modules');
  const own = await side.kept(before);
  const made = await Promise.all(given.map(side.make));
  const out = new Set([...remove, ...made.map(({ kind }) => kind)]);
  const extras = inOrder([...own.filter(({ kind }) => !out.has(kind)), ...made]);
  const changed = extras.map(({ path }) => path).join() !== own.map(({ path }) => path).join();
  const packages = given.length === 0 ? [] : await format.list(before);
  const notes = await Promise.all(given.map((one) => side.sayAbsent(one, packages)));
  return { changed, extras, notes: notes.flat() };
}

function inOrder(extras: readonly Extra[]): readonly Extra[] {
  return extras.toSorted((a, b) => extraKinds.indexOf(a.kind) - extraKinds.indexOf(b.kind));
}

/** Says which packages a tree's advisories, groups and modules name that it has not. */
export async function sayAbsent(format: RepositoryFormat, tree: string): Promise<readonly string[]> {
  if (format.extras === null) return [];
  const { sayAbsent: say, read } = format.extras;
  const { texts } = await read(tree);
  const packages = texts.length === 0 ? [] : await format.list(tree);
  return (await Promise.all(texts.map((one) => say(one, packages)))).flat();
}
