import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { judgeKeyFile } from '../keys/judge-key-file.ts';
import { onlyUnknown, readSignatures, refusal } from '../keys/signatures.ts';
import { run } from '../process/run.ts';
import { makeTemporary } from '../process/temporary.ts';
import { signaturesOf } from './content.ts';
import { MirrorError } from './types.ts';

/** What the signatures of a tree say. */
export interface Signed {
  /** Fingerprints of the keys that signed, a subkey's where it was one. */
  readonly signers: readonly string[];
  /** What is soon wrong with these keys, or is for newer clients. */
  readonly warnings: readonly string[];
}

/**
 * Checks the signatures of a tree's root indexes as a client would: with this key and no other, and none that has expired.
 *
 * @throws MirrorError `verify` for a bad or missing signature, for one whose keys have all expired or were revoked, or a
 *   tree without any index.
 */
export async function verifySignatures(tree: string, roots: readonly string[], key: string): Promise<Signed> {
  const home = await makeTemporary('sluice-verify');
  try {
    const env = { GNUPGHOME: home };
    const imported = await run('gpg', ['--batch', '--quiet', '--import', '--', key], { env });
    if (imported.code !== 0) throw new MirrorError('verify', `${key} is no public key`);
    if (roots.length === 0) throw new MirrorError('verify', 'there is no index that could be signed');
    const found: Signature[] = [];
    for (const root of roots) {
      const there = await present(tree, signaturesOf(root));
      if (there.length === 0) throw new MirrorError('verify', `${root} has no signature`);
      for (const signature of there) found.push(await verifyOne(tree, { root, signature }, env));
    }
    const judged = await judgeKeyFile(
      key,
      found.flatMap(({ primaries }) => primaries),
    );
    const stale = found.find(({ refused }) => refused !== null);
    if (stale !== undefined) {
      const why = (stale.byKey ? judged.problems[0] : undefined) ?? stale.refused;
      throw new MirrorError('verify', `${stale.name} is refused by clients: ${why}`);
    }
    return { signers: [...new Set(found.map(({ signer }) => signer))], warnings: judged.warnings };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** One signature, or several in one file. */
interface Signature {
  readonly name: string;
  /** Why clients refuse all of them, GnuPG ending well all the same; null where they take one. */
  readonly refused: string | null;
  /** Whether that is for their keys alone. */
  readonly byKey: boolean;
  readonly signer: string;
  readonly primaries: readonly string[];
}

async function present(tree: string, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => stat(join(tree, path)).catch(() => null)));
  return paths.filter((_, position) => found[position]);
}

async function verifyOne(
  tree: string,
  { root, signature }: { readonly root: string; readonly signature: string },
  env: Readonly<Record<string, string>>,
): Promise<Signature> {
  const signed = root.endsWith('InRelease') ? root.replace(/InRelease$/, 'Release') : root;
  const files = signature.endsWith('InRelease') ? [signature] : [signature, signed];
  const { code, stderr, stdout } = await run('gpg', ['--batch', '--status-fd=1', '--verify', '--', ...files], {
    env,
    cwd: tree,
  });
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (code !== 0 && !onlyUnknown(stdout)) {
    throw new MirrorError('verify', `${signature} is not signed by the key: ${said}`);
  }
  const signatures = readSignatures(stdout);
  return {
    name: signature,
    refused: refusal(signatures, root.endsWith('.xml') ? 'dnf' : 'apt'),
    byKey: signatures.every((one) => one.byKey),
    signer: signatures[0]?.signer ?? '',
    primaries: signatures.map(({ primary }) => primary),
  };
}
