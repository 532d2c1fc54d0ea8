import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import { type Content, signaturesOf } from './content.ts';
import { MirrorError } from './types.ts';

/**
 * Checks every root index's signatures as a client would: with this key and no other.
 *
 * @returns ids of the keys that signed. @throws MirrorError `verify` for a bad or missing signature, or a tree without
 *   any index.
 */
export async function verifySignatures(tree: string, { roots }: Content, key: string): Promise<string[]> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-verify-'));
  try {
    const env = { GNUPGHOME: home };
    const imported = await run('gpg', ['--batch', '--quiet', '--import', '--', key], { env });
    if (imported.code !== 0) throw new MirrorError('verify', `${key} is no public key`);
    if (roots.length === 0) throw new MirrorError('verify', 'there is no index that could be signed');
    const signers = new Set<string>();
    for (const { root } of roots) {
      const there = await present(tree, signaturesOf(root));
      if (there.length === 0) throw new MirrorError('verify', `${root} has no signature`);
      for (const signature of there) signers.add(await verifyOne(tree, { root, signature }, env));
    }
    return [...signers];
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function present(tree: string, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => stat(join(tree, path)).catch(() => null)));
  return paths.filter((_, position) => found[position]);
}

async function verifyOne(
  tree: string,
  { root, signature }: { readonly root: string; readonly signature: string },
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const signed = root.endsWith('InRelease') ? root.replace(/InRelease$/, 'Release') : root;
  const files = signature.endsWith('InRelease') ? [signature] : [signature, signed];
  const { code, stderr, stdout } = await run('gpg', ['--batch', '--status-fd=1', '--verify', '--', ...files], {
    env,
    cwd: tree,
  });
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (code !== 0) throw new MirrorError('verify', `${signature} is not signed by the key: ${said}`);
  return /^\[GNUPG:\] VALIDSIG ([0-9A-F]+)/m.exec(stdout)?.[1] ?? '';
}
