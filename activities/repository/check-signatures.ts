import { readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { exists } from '../files/exists.ts';
import { judgeKeyFile } from '../keys/judge-key-file.ts';
import { onlyUnknown, readSignatures, refusal } from '../keys/signatures.ts';
import { run } from '../process/run.ts';
import { makeTemporary } from '../process/temporary.ts';
import { publicKeyFile, type RepositoryFormat, type RepositoryProblem } from './port.ts';
import { isSigned } from './signature.ts';

/** What signatures say. */
export interface Signatures {
  /** Fingerprints of the keys that made the good ones. */
  readonly signers: readonly string[];
  readonly problems: readonly RepositoryProblem[];
  /** What is soon wrong with the keys, or is for newer clients. */
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string>>;

/** One signature and the file that it is for; the same file where it holds both. */
interface Signed {
  readonly name: string;
  readonly text: string;
}

/**
 * Checks the root indexes' signatures: with the key given or the repository's own and no other, or with the user's keys
 * where a repository that was not made here carries none.
 */
export async function checkSignatures(format: RepositoryFormat, tree: string, given?: string): Promise<Signatures> {
  const own = await isSigned(tree);
  const named = (await format.roots(tree)).map(signaturesOf);
  const there = await Promise.all(named.map((some) => present(tree, some)));
  const expected = own ? named : there;
  const key = given ?? (own ? join(tree, publicKeyFile) : null);
  const bare = key !== null && (expected.length === 0 || expected.some((some) => some.length === 0));
  if (bare) return refused(tree, 'it is not signed');
  const found = await withKey(key, (env) =>
    Promise.all(expected.flat().map((signed) => checkSignature(tree, signed, env))),
  );
  const signers = [...new Set(found.flatMap((one) => one.signers))];
  const judged = key === null ? { problems: [], warnings: [] } : await checkKey(key, signers);
  // That signatures are refused follows from what is said of their key.
  const others = judged.problems.length > 0 ? found.filter(({ byKey }) => byKey !== true) : found;
  const about = key === null ? [] : [...judged.problems, ...(await checkPackages(format, tree, key))];
  return { signers, warnings: judged.warnings, problems: [...others.flatMap(({ problems }) => problems), ...about] };
}

interface CheckedSignature extends Omit<Signatures, 'warnings'> {
  /** Whether all that is wrong with it is its key. */
  readonly byKey?: boolean;
}

function refused(subject: string, message: string): Signatures {
  return { signers: [], problems: [{ kind: 'signature', subject, message }], warnings: [] };
}

/** Where clients look for the signatures of a root index. */
function signaturesOf(root: string): readonly Signed[] {
  if (root.endsWith('.xml')) return [{ name: `${root}.asc`, text: root }];
  const [detached, clear, plain] = ['Release.gpg', 'InRelease', 'Release'].map((name) => join(dirname(root), name));
  return [
    { name: detached ?? '', text: plain ?? '' },
    { name: clear ?? '', text: clear ?? '' },
  ];
}

async function present(tree: string, signatures: readonly Signed[]): Promise<readonly Signed[]> {
  const there = await Promise.all(signatures.map(({ name }) => exists(join(tree, name))));
  return signatures.filter((_, position) => there[position]);
}

/** A key that has expired is refused by clients, whatever it signed before. Without signers all keys are looked at. */
async function checkKey(key: string, signers: readonly string[]): Promise<Pick<Signatures, 'problems' | 'warnings'>> {
  const judged = judgeKeyFile(key, signers.length > 0 ? signers : undefined);
  const { problems, warnings } = await judged.catch(() => ({ problems: [], warnings: [] }));
  return { problems: problems.map((message) => ({ kind: 'signature', subject: basename(key), message })), warnings };
}

/** Clients of a signed repository ask each package for a signature by its keys, where packages carry any. */
async function checkPackages(format: RepositoryFormat, tree: string, key: string): Promise<RepositoryProblem[]> {
  const text = await readFile(key, 'utf8').catch(() => null);
  if (text === null || format.unsigned === null) return [];
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
  work: (env: Environment) => Promise<CheckedSignature[]>,
): Promise<CheckedSignature[]> {
  if (key === null) return work(process.env.GNUPGHOME === undefined ? {} : { GNUPGHOME: process.env.GNUPGHOME });
  const home = await makeTemporary('sluice-keys');
  try {
    const env = { GNUPGHOME: home };
    const { code } = await run('gpg', ['--batch', '--quiet', '--import', '--', key], { env });
    return code === 0 ? await work(env) : [refused(key, 'this is no public key')];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/**
 * One good signature is enough, beside others by keys that nobody here has: so do clients, where a new key takes over
 * from an old one. One that does not add up is refused, whatever stands beside it (apt-pkg, methods/gpgv.cc).
 */
async function checkSignature(tree: string, { name, text }: Signed, env: Environment): Promise<CheckedSignature> {
  const files = [...new Set([name, text])].map((path) => join(tree, path));
  const { code, stdout, stderr } = await run('gpg', ['--batch', '--status-fd=1', '--verify', '--', ...files], { env });
  const found = readSignatures(stdout);
  if (code !== 0 && !onlyUnknown(stdout)) return refused(name, stderr.trim().split('\n').at(-1) ?? '');
  const why = refusal(found, text.endsWith('.xml') ? 'dnf' : 'apt');
  const taken = why === null ? found.filter((one) => one.refused === null) : found;
  const signers = taken.map(({ primary }) => primary);
  if (why !== null) return { ...refused(name, why), signers, byKey: found.every(({ byKey }) => byKey) };
  const problem = name === text ? await compareTexts(tree, join(dirname(name), 'Release'), name) : null;
  return problem === null ? { signers, problems: [] } : { ...refused(name, problem), signers };
}

/** A client reads either file, so both must say the same. */
async function compareTexts(tree: string, root: string, clear: string): Promise<string | null> {
  if (!(await exists(join(tree, root)))) return null;
  const [plain, signed] = await Promise.all([
    readFile(join(tree, root), 'utf8'),
    readFile(join(tree, clear), 'utf8').catch(() => ''),
  ]);
  if (signed.replace(/^- /gm, '').includes(plain.trimEnd())) return null;
  return `it says something else than ${root}`;
}
