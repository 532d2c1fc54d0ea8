import { damageOf, type Manifest } from '../../pipelines/mirror/manifest.ts';
import { checkFrozen, type FrozenSource } from './freeze.ts';
import type { MirrorHost } from './host.ts';
import { differences, listSnapshot, mendDifferences, sendSnapshot } from './send.ts';
import type { Session } from './session.ts';
import type { SetState } from './state.ts';
import { type MirrorContext, MirrorError } from './types.ts';

/** What is wrong with a snapshot on a host by its list of files, or by what `verify` found; null when nothing is. */
export async function findDamage(host: MirrorHost, state: SetState, snapshot: string): Promise<string | null> {
  const found = (await state.damaged())[host.name];
  if (found?.snapshot === snapshot) return found.message;
  const manifest = await state.manifest(snapshot);
  if (manifest === null) return null;
  return damageOf(manifest, await listSnapshot(host, snapshot))[0] ?? null;
}

/** How a command that does not mend says it. */
export function damagedError({ name }: MirrorHost['set'], what: string): MirrorError {
  return new MirrorError('damaged', `damaged: ${what}: run \`sluice mirror sync ${name}\``);
}

interface Mending {
  readonly snapshot: string;
  readonly frozen: FrozenSource;
  readonly state: SetState;
  readonly context: MirrorContext;
}

/**
 * Makes a snapshot again what was sent, file by file: each is replaced by one rename, so that readers see the broken
 * one or the right one. Earlier snapshots may share the broken file, and get the right one as well.
 */
export async function mendSnapshot(session: Session, { snapshot, frozen, state, context }: Mending): Promise<void> {
  const { host, view } = session;
  const { tree, manifest } = frozen;
  const what = await findDamage(host, state, snapshot);
  if (what === null) return;
  session.phase = 'stage';
  context.log(`${host.name}: mends ${snapshot}: ${what}`);
  const all = Object.keys(manifest.files);
  await session.lock?.check();
  const wrong = await differences(host, tree, { snapshot, paths: all });
  await checkFrozen(frozen, wrong);
  session.transferred = await sendSnapshot(host, tree, { snapshot, bases: [], how: ['--checksum'] });
  for (const other of view?.snapshots ?? []) {
    const there = other === snapshot ? null : await state.manifest(other);
    const paths = there === null ? [] : wrong.filter((path) => same(there, manifest, path));
    await mendDifferences(host, tree, { snapshot: other, paths, base: snapshot });
  }
  session.phase = 'verify';
  const left = damageOf(manifest, await listSnapshot(host, snapshot))[0];
  const different = (await differences(host, tree, { snapshot, paths: all }))[0];
  if (left !== undefined || different !== undefined)
    throw new MirrorError('damaged', `cannot be mended: ${left ?? different}`);
}

function same(one: Manifest, other: Manifest, path: string): boolean {
  const [a, b] = [one.files[path], other.files[path]];
  return a !== undefined && b !== undefined && a.sha256 === b.sha256 && a.mtime === b.mtime;
}
