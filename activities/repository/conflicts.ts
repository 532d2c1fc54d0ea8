import { join } from 'node:path';
import type {
  FileClash,
  ListedPackage,
  PackagePair,
  PackageRelations,
  RepositoryFormat,
  RepositoryProblem,
} from './port.ts';

/** Two packages with the paths that both bring, each in its own way. */
interface Candidate {
  readonly pair: PackagePair;
  readonly clashes: FileClash[];
}

/**
 * Two packages that one solution holds must not bring the same path in ways that the package manager refuses.
 *
 * @param others repositories that the packages may take their dependencies from
 */
export async function findConflicts(
  format: RepositoryFormat,
  tree: string,
  others: readonly string[],
): Promise<RepositoryProblem[]> {
  const binary = (await format.list(tree)).filter(({ arch }) => !['src', 'nosrc', 'source'].includes(arch));
  const refused = await refusedPairs(format, tree, binary);
  const pairs = refused.map(({ pair }) => pair);
  const held = await format.together(tree, others, pairs);
  return refused.flatMap(({ pair, message }, position) =>
    held[position] ? [{ kind: 'conflict' as const, subject: describePair(pair), message }] : [],
  );
}

/** Two packages, and why the package manager would not put both on one system. */
export interface RefusedPair {
  readonly pair: PackagePair;
  readonly message: string;
}

/** Pairs of binary packages, whose files are in `tree`, that bring the same path in ways that the package manager refuses. */
export async function refusedPairs(
  format: Pick<RepositoryFormat, 'contents' | 'relations' | 'matches' | 'mayMeet' | 'refusal'>,
  tree: string,
  packages: readonly ListedPackage[],
): Promise<readonly RefusedPair[]> {
  const apart = exclusions(format, tree);
  const refused: RefusedPair[] = [];
  for (const { pair, clashes } of await candidates(format, tree, packages)) {
    if (await apart(...pair)) continue;
    const message = await format.refusal(tree, pair, clashes);
    if (message !== null) refused.push({ pair, message });
  }
  return refused;
}

/** Both packages by name and version; by their architectures as well where the name is the same. */
export function describePair([one, other]: PackagePair): string {
  return `${describe(one, other)} and ${describe(other, one)}`;
}

function describe(one: ListedPackage, other: ListedPackage): string {
  const { name, version, arch } = one;
  return name === other.name ? `${name} ${version} (${arch})` : `${name} ${version}`;
}

async function candidates(
  format: Pick<RepositoryFormat, 'contents' | 'mayMeet'>,
  tree: string,
  packages: readonly ListedPackage[],
): Promise<Candidate[]> {
  const owners = new Map<string, { readonly one: ListedPackage; readonly mark: string }[]>();
  const found = new Map<string, Candidate>();
  for (const other of packages) {
    for (const [path, mark] of await format.contents(join(tree, other.path))) {
      const before = owners.get(path) ?? [];
      for (const { one, mark: first } of before.filter(
        (each) => each.mark !== mark && format.mayMeet(each.one, other),
      )) {
        const key = `${one.path}\n${other.path}`;
        const candidate = found.get(key) ?? { pair: [one, other] as const, clashes: [] };
        candidate.clashes.push({ path, marks: [first, mark] });
        found.set(key, candidate);
      }
      owners.set(path, [...before, { one: other, mark }]);
    }
  }
  return [...found.values()];
}

/** Whether two packages never stand on one system, or one may overwrite the other's files; each is read once. */
function exclusions(format: Pick<RepositoryFormat, 'relations' | 'matches'>, tree: string) {
  const known = new Map<string, Promise<PackageRelations>>();
  const relationsOf = ({ path }: ListedPackage) => {
    const found = known.get(path) ?? format.relations(join(tree, path));
    known.set(path, found);
    return found;
  };
  const keepsOff = (one: PackageRelations, other: PackageRelations) =>
    one.excludes.some((relation) => other.offers.some((offer) => format.matches(relation, offer)));
  return async (a: ListedPackage, b: ListedPackage) => {
    // No package excludes another of its own name: what it says of the name is about what others offer.
    if (a.name === b.name) return false;
    const [one, other] = await Promise.all([relationsOf(a), relationsOf(b)]);
    return keepsOff(one, other) || keepsOff(other, one);
  };
}
