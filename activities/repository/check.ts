import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import { sha256 } from './files.ts';
import { type ListedPackage, publicKeyFile, type RepositoryFormat, type RepositoryProblem } from './port.ts';
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
  const key = request.key ?? ((await isSigned(tree)) ? join(tree, publicKeyFile) : null);
  const broken = [
    ...(key === null ? [] : await checkSignatures(format, tree, key)),
    ...(await verifyIndexes(format, tree)),
    ...(await checkHashes(tree, packages)),
  ];
  // A solver or an unpacker that is given broken files would only repeat it in worse words.
  if (broken.length > 0) return broken;
  return [...(await format.uninstallable(tree, others)), ...(await findConflicts(format, tree, packages))];
}

/** Checks the root index's signatures with this key and no other. */
export async function checkSignatures(
  format: RepositoryFormat,
  tree: string,
  key: string,
): Promise<RepositoryProblem[]> {
  const settings = await format.settings(tree);
  const { detached, clear } = format.signatures(settings);
  const root = format.rootIndex(settings);
  const home = await mkdtemp(join(tmpdir(), 'sluice-keys-'));
  try {
    const env = { GNUPGHOME: home };
    const imported = await run('gpg', ['--batch', '--quiet', '--import', '--', key], { env });
    if (imported.code !== 0) return [{ kind: 'signature', subject: key, message: 'this is no public key' }];
    const signatures = [[join(tree, detached), join(tree, root)], ...(clear === null ? [] : [[join(tree, clear)]])];
    const problems: RepositoryProblem[] = [];
    for (const files of signatures) {
      const { code, stderr } = await run('gpg', ['--batch', '--verify', '--', ...files], { env });
      const subject = (files[0] ?? '').slice(tree.length + 1);
      if (code !== 0) problems.push({ kind: 'signature', subject, message: stderr.trim().split('\n').at(-1) ?? '' });
    }
    if (clear !== null) problems.push(...(await compareTexts(tree, root, clear)));
    return problems;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
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
  for (const one of packages) {
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
  const pairs = new Map<string, RepositoryProblem>();
  for (const [name, list] of owners) {
    for (const [position, { one, mark }] of list.entries()) {
      const other = list.slice(position + 1).find((next) => next.one.name !== one.name && next.mark !== mark);
      if (other === undefined || (await excluded(format, tree, [one, other.one]))) continue;
      const subject = `${one.name} ${one.version} and ${other.one.name} ${other.one.version}`;
      if (!pairs.has(subject)) pairs.set(subject, { kind: 'conflict', subject, message: `both bring ${name}` });
    }
  }
  return [...pairs.values()];
}

async function excluded(
  format: RepositoryFormat,
  tree: string,
  [a, b]: readonly [ListedPackage, ListedPackage],
): Promise<boolean> {
  const [byA, byB] = await Promise.all([a, b].map((one) => format.excludes(join(tree, one.path))));
  return (byA?.has(b.name) ?? false) || (byB?.has(a.name) ?? false);
}
