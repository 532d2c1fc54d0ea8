import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { judgeKeyFile } from '../keys/judge-key-file.ts';
import { run } from '../process/run.ts';
import { exists, sha256 } from './files.ts';
import {
  type ListedPackage,
  type PackageRelations,
  publicKeyFile,
  type RepositoryFormat,
  type RepositoryProblem,
} from './port.ts';
import { isSigned } from './signature.ts';
import { verifyIndexes } from './verify.ts';

export interface CheckRequest {
  readonly tree: string;
  /** Repositories that the packages may also take their dependencies from. */
  readonly others: readonly string[];
  /** The key that must have signed the index; the repository's own when absent. */
  readonly key?: string;
}

/** Everything that is wrong with a repository: signatures, hashes, installability, file conflicts. */
export async function checkRepository(format: RepositoryFormat, request: CheckRequest): Promise<RepositoryProblem[]> {
  const { tree, others } = request;
  const packages = await format.list(tree);
  const broken = [
    ...(await checkSignatures(format, tree, request.key)),
    ...(await verifyIndexes(format, tree)),
    ...(await checkHashes(tree, packages)),
  ];
  // A solver or an unpacker that is given broken files would only repeat it in worse words.
  if (broken.length > 0) return broken;
  return [...(await format.uninstallable(tree, others)), ...(await findConflicts(format, tree, packages))];
}

/**
 * Checks the root index's signatures: with the key given or the repository's own and no other, or with the user's keys
 * where a repository that was not made here carries none.
 */
export async function checkSignatures(
  format: RepositoryFormat,
  tree: string,
  given?: string,
): Promise<RepositoryProblem[]> {
  const own = await isSigned(tree);
  const { detached, clear } = format.signatures(await format.settings(tree));
  const names = clear === null ? [detached] : [detached, clear];
  const there = await Promise.all(names.map((name) => exists(join(tree, name))));
  const expected = own ? names : names.filter((_, position) => there[position]);
  const key = given ?? (own ? join(tree, publicKeyFile) : null);
  if (key !== null && expected.length === 0) return [{ kind: 'signature', subject: tree, message: 'it is not signed' }];
  const problems = await withKey(key, (env) =>
    Promise.all(expected.map((name) => checkSignature(format, tree, { name, env }))),
  );
  return [...problems.flat(), ...(await checkKey(key)), ...(await checkPackages(format, tree, key))];
}

/** A key that has expired is refused by clients, whatever it signed before. */
async function checkKey(key: string | null): Promise<RepositoryProblem[]> {
  if (key === null) return [];
  const { problems } = await judgeKeyFile(key).catch(() => ({ problems: [] }));
  return problems.map((message) => ({ kind: 'signature', subject: basename(key), message }));
}

/** Clients of a signed repository ask each package for a signature by its keys, where packages carry any. */
async function checkPackages(format: RepositoryFormat, tree: string, key: string | null): Promise<RepositoryProblem[]> {
  const text = key === null ? null : await readFile(key, 'utf8').catch(() => null);
  if (text === null) return [];
  const packages = await format.list(tree);
  const there = await Promise.all(
    packages.map(async ({ path }) => ((await exists(join(tree, path))) ? [join(tree, path)] : [])),
  );
  const bad = await format.unsigned(there.flat(), text);
  const message = 'it carries no signature by a key of the repository: publish with --sign to sign it';
  return bad.map((file) => ({ kind: 'signature', subject: relative(tree, file), message }));
}

/** Runs `work` with the environment of a GnuPG that knows this key alone; null for the user's own. */
async function withKey(
  key: string | null,
  work: (env: Readonly<Record<string, string>>) => Promise<RepositoryProblem[][]>,
): Promise<RepositoryProblem[][]> {
  if (key === null) return work(process.env.GNUPGHOME === undefined ? {} : { GNUPGHOME: process.env.GNUPGHOME });
  const home = await mkdtemp(join(tmpdir(), 'sluice-keys-'));
  try {
    const env = { GNUPGHOME: home };
    const { code } = await run('gpg', ['--batch', '--quiet', '--import', '--', key], { env });
    return code === 0 ? await work(env) : [[{ kind: 'signature', subject: key, message: 'this is no public key' }]];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function checkSignature(
  format: RepositoryFormat,
  tree: string,
  { name, env }: { readonly name: string; readonly env: Readonly<Record<string, string>> },
): Promise<RepositoryProblem[]> {
  const settings = await format.settings(tree);
  const root = format.rootIndex(settings);
  const isClear = name === format.signatures(settings).clear;
  const files = isClear ? [join(tree, name)] : [join(tree, name), join(tree, root)];
  const { code, stderr } = await run('gpg', ['--batch', '--verify', '--', ...files], { env });
  if (code !== 0) return [{ kind: 'signature', subject: name, message: stderr.trim().split('\n').at(-1) ?? '' }];
  return isClear ? compareTexts(tree, root, name) : [];
}

/** A client reads either file, so both must say the same. */
async function compareTexts(tree: string, root: string, clear: string): Promise<RepositoryProblem[]> {
  const [plain, signed] = await Promise.all([
    readFile(join(tree, root), 'utf8'),
    readFile(join(tree, clear), 'utf8').catch(() => ''),
  ]);
  if (signed.replace(/^- /gm, '').includes(plain.trimEnd())) return [];
  return [{ kind: 'signature', subject: clear, message: `it says something else than ${root}` }];
}

async function checkHashes(tree: string, packages: readonly ListedPackage[]): Promise<RepositoryProblem[]> {
  const problems: RepositoryProblem[] = [];
  for (const one of packages.flatMap((each) => [each, ...each.parts])) {
    const path = join(tree, one.path);
    const missing = await access(path).then(
      () => false,
      () => true,
    );
    if (missing) problems.push({ kind: 'hash', subject: one.path, message: 'the index names it and it is not there' });
    else if ((await sha256(path)) !== one.sha256) {
      problems.push({ kind: 'hash', subject: one.path, message: 'its content is not what the index says' });
    }
  }
  return problems;
}

/** Two packages that can be installed together must not bring the same path with different content. */
async function findConflicts(
  format: RepositoryFormat,
  tree: string,
  packages: readonly ListedPackage[],
): Promise<RepositoryProblem[]> {
  const owners = new Map<string, { readonly one: ListedPackage; readonly mark: string }[]>();
  for (const one of packages.filter(({ arch }) => arch !== 'src' && arch !== 'source')) {
    for (const [name, mark] of await format.contents(join(tree, one.path))) {
      owners.set(name, [...(owners.get(name) ?? []), { one, mark }]);
    }
  }
  const apart = exclusions(format, tree);
  const pairs = new Map<string, RepositoryProblem>();
  for (const [name, list] of owners) {
    for (const [position, { one, mark }] of list.entries()) {
      const other = list.slice(position + 1).find((next) => next.one.name !== one.name && next.mark !== mark);
      if (other === undefined || (await apart(one, other.one))) continue;
      const subject = `${one.name} ${one.version} and ${other.one.name} ${other.one.version}`;
      if (!pairs.has(subject)) pairs.set(subject, { kind: 'conflict', subject, message: `both bring ${name}` });
    }
  }
  return [...pairs.values()];
}

/** Whether two packages never stand on one system, or one may overwrite the other's files; each is read once. */
function exclusions(format: RepositoryFormat, tree: string) {
  const known = new Map<string, Promise<PackageRelations>>();
  const relationsOf = ({ path }: ListedPackage) => {
    const found = known.get(path) ?? format.relations(join(tree, path));
    known.set(path, found);
    return found;
  };
  const keepsOff = (one: PackageRelations, other: PackageRelations) =>
    one.excludes.some((relation) => other.offers.some((offer) => format.matches(relation, offer)));
  return async (a: ListedPackage, b: ListedPackage) => {
    const [one, other] = await Promise.all([relationsOf(a), relationsOf(b)]);
    return keepsOff(one, other) || keepsOff(other, one);
  };
}
