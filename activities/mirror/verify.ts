import { lstat, mkdir, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { type MirrorResult, noChanges } from '../../pipelines/mirror/outcome.ts';
import { poolName } from '../../pipelines/mirror/shared.ts';
import { counted } from '../../pipelines/model/words.ts';
import { listFiles } from '../repository/files.ts';
import { describeChecked, hashedTree, readContent, verifyContent } from './content.ts';
import { type FoundHost, shownSnapshot } from './host.ts';
import { clientLinks, onEachHost, recoverFirst } from './inspect.ts';
import { damageIn } from './mend.ts';
import { plainResult } from './session.ts';
import { verifySignatures } from './signatures.ts';
import { placeOf } from './snapshot.ts';
import { type SetState, withSetState } from './state.ts';
import { withTemporary } from './temporary.ts';
import { type MirrorContext, MirrorError, type MirrorSet } from './types.ts';

/**
 * Fetches what each host shows, through its links as a client does, and checks all of it. What is found wrong is
 * remembered, so that the next sync mends it.
 */
export function verifyMirrors(set: MirrorSet, context: MirrorContext): Promise<MirrorResult> {
  return withSetState(set, context, async (state) => {
    await recoverFirst(set, state, context);
    const said: string[] = [];
    const warnings = new Set<string>();
    const entries = await onEachHost(set, context, async (found) => {
      const { host, view } = found;
      const target = shownSnapshot(host.set, view);
      if (target === null) throw new MirrorError('verify', 'nothing is published');
      const error = await verifyHost(found, state, target).then(
        (checked) => {
          said.push(`${host.name}: ${checked.said}`);
          for (const warning of checked.warnings) warnings.add(`warning: ${warning}`);
          return null;
        },
        (fault: MirrorError) => fault,
      );
      if (error !== null && error.code !== 'verify') throw error;
      return plainResult({ target, error });
    });
    const hosts = Object.fromEntries(entries);
    await remember(state, hosts);
    const bad = Object.values(hosts).some(({ error }) => error !== null);
    const snapshot = (await state.committed())?.snapshot ?? null;
    const outcome = bad ? 'failed' : 'unchanged';
    const mend = `what a host holds otherwise than it was sent is mended by \`sluice mirror sync ${set.name}\``;
    const notes = [...(bad ? [mend] : []), ...warnings];
    const checked = said.sort().join('\n');
    return { set: set.name, snapshot, outcome, hosts, packages: noChanges, did: 'verified', checked, notes };
  });
}

async function remember(state: SetState, hosts: MirrorResult['hosts']): Promise<void> {
  const damaged = new Map(Object.entries(await state.damaged()));
  for (const [name, { target, error }] of Object.entries(hosts)) {
    if (error === null) damaged.delete(name);
    else if (error.code === 'verify' && target !== null)
      damaged.set(name, { snapshot: target, message: error.message });
  }
  await state.saveDamaged(Object.fromEntries(damaged));
}

interface Verified {
  /** What was checked. */
  readonly said: string;
  readonly warnings: readonly string[];
}

/** @throws MirrorError `verify` for the first thing that is wrong. */
async function verifyHost({ host, view }: FoundHost, state: SetState, target: string): Promise<Verified> {
  let verified: Verified = { said: '', warnings: [] };
  const places = new Set<string>();
  for (const link of clientLinks(host, target)) {
    const text = view.links[link];
    if (text === undefined) throw new MirrorError('verify', `${link} is not there`);
    // A daemon does not follow links upwards for us, so the way is worked out here.
    places.add(posix.join(posix.dirname(link), text).replace(/\/$/, ''));
  }
  for (const place of places) verified = await verifyPlace({ host, view }, state, { place, target });
  return verified;
}

async function verifyPlace(
  { host }: FoundHost,
  state: SetState,
  { place, target }: { readonly place: string; readonly target: string },
): Promise<Verified> {
  const { set, transport } = host;
  const manifest = posix.basename(place) === target ? await state.manifest(target) : null;
  if (manifest !== null) {
    const damage = (await damageIn(host, state, { snapshot: target, manifest }))[0];
    if (damage !== undefined) throw new MirrorError('verify', damage);
  }
  const { shared = [] } = manifest ?? {};
  return withTemporary(async (tree) => {
    await transport.fetch(place, tree, shared);
    const pool = placeOf(host, poolName(set.name));
    for (const folder of shared) {
      await mkdir(join(tree, folder), { recursive: true });
      await transport.fetch(`${pool}/${folder}`, join(tree, folder));
    }
    await verifyReadable(tree);
    const hashed = hashedTree(tree);
    for (const [path, { sha256 }] of Object.entries(manifest?.files ?? {})) {
      if ((await hashed.hash(path, 'sha256')) === sha256) continue;
      throw new MirrorError('verify', `${path} is not what was sent`);
    }
    const content = await readContent(tree, await listFiles(tree));
    const checked = await verifyContent(hashed, content);
    if (manifest === null && checked.packages + checked.indexes === 0) {
      throw new MirrorError('verify', `nothing could be checked: ${checked.unchecked.join('; ')}`);
    }
    const key = set.verify?.key;
    const roots = content.roots.map(({ root }) => root);
    const { signers, warnings } =
      key === undefined ? { signers: [], warnings: [] } : await verifySignatures(tree, roots, key);
    const sent = manifest === null ? [] : [`${counted(Object.keys(manifest.files).length, 'file')} as sent`];
    const signed = signers.length === 0 ? [] : [`signature of ${signers.join(' and ')}`];
    return { said: [describeChecked(checked), ...sent, ...signed].join(', '), warnings };
  });
}

/** Web servers run as somebody else than who publishes. @throws MirrorError `verify`. */
async function verifyReadable(tree: string): Promise<void> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const wanted = entry.isDirectory() ? 0o5 : 0o4;
    if (((await lstat(path)).mode & wanted) === wanted) continue;
    throw new MirrorError('verify', `${path.slice(tree.length + 1)} may not be read by everybody`);
  }
}
