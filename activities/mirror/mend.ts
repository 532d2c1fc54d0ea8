import { type Base, damageOf, type Manifest } from '../../pipelines/mirror/manifest.ts';
import { poolName, splitShared } from '../../pipelines/mirror/shared.ts';
import { checkFrozen, type FrozenSource } from './freeze.ts';
import type { MirrorHost } from './host.ts';
import { listPool, noteMended, sendPool } from './pool.ts';
import type { Session } from './session.ts';
import { settleAll } from './settle.ts';
import { listSnapshot, mendDifferences, sendReport, sendSnapshot } from './snapshot.ts';
import { differencesOf, linksToPool, together } from './stage.ts';
import type { SetState } from './state.ts';
import type { Transferred } from './transport.ts';
import { type MirrorContext, MirrorError } from './types.ts';

/** What is wrong with a snapshot on a host by its list of files, or by what `verify` found; null when nothing is. */
export async function findDamage(host: MirrorHost, state: SetState, snapshot: string): Promise<string | null> {
  const found = (await state.damaged())[host.name];
  if (found?.snapshot === snapshot) return found.message;
  const manifest = await state.manifest(snapshot);
  return manifest === null ? null : ((await damageIn(host, state, { snapshot, manifest }))[0] ?? null);
}

/** What differs in names, sizes and times from what was sent, in a snapshot and in its part of the pool. */
export async function damageIn(
  host: MirrorHost,
  state: SetState,
  { snapshot, manifest }: Base,
): Promise<readonly string[]> {
  const { own, pool } = splitShared(manifest, host.set.name);
  if (pool === null) return damageOf(own, await listSnapshot(host, snapshot));
  const [apart, shared, record] = await settleAll([
    listSnapshot(host, snapshot),
    listPool(host),
    state.pool(host.name),
  ]);
  // A file that came with an earlier state has the time that it had then.
  const files = Object.entries(pool.files).map(([path, file]) => [path, record?.files[path] ?? file] as const);
  const known = shared.filter(({ name }) => Object.hasOwn(pool.files, name));
  return [...damageOf(own, apart), ...damageOf({ links: {}, files: Object.fromEntries(files) }, known)];
}

/** How a command that does not mend says it. */
export function damagedError({ name }: MirrorHost['set'], what: string): MirrorError {
  return new MirrorError('damaged', `${what}: run \`sluice mirror sync ${name}\``);
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
  const { host } = session;
  const { tree } = frozen;
  // As it was sent: the set may be for another layout by now.
  const manifest = (await state.manifest(snapshot)) ?? frozen.manifest;
  const sent = { tree, manifest };
  const what = await findDamage(host, state, snapshot);
  if (what === null) return;
  session.phase = 'stage';
  context.log(`${host.name}: mends ${snapshot}: ${what}`);
  const all = Object.keys(manifest.files);
  await session.lock?.check();
  const wrong = await differencesOf(host, sent, { snapshot, paths: all });
  await checkFrozen(frozen, wrong);
  session.transferred = await sendAgain(session, { ...sent, snapshot, state });
  await mendOthers(session, state, { ...sent, snapshot, wrong });
  session.phase = 'verify';
  const left = (await damageIn(host, state, { snapshot, manifest }))[0];
  const different = (await differencesOf(host, sent, { snapshot, paths: all }))[0];
  if (left !== undefined || different !== undefined)
    throw new MirrorError('damaged', `cannot be mended: ${left ?? different}`);
}

async function sendAgain(
  { host, view }: Session,
  { tree, manifest, snapshot, state }: Pick<FrozenSource, 'tree' | 'manifest'> & Pick<Mending, 'snapshot' | 'state'>,
): Promise<Transferred> {
  const { own, pool } = splitShared(manifest, host.set.name);
  const { shared } = manifest;
  const sent = await sendSnapshot(host, tree, { snapshot, bases: [], byContent: true, apart: shared });
  if (pool === null) return sent;
  await sendReport(host, snapshot, { report: sent.report, links: linksToPool(manifest, own) });
  const packages = await sendPool({ host, view }, tree, { lacking: Object.keys(pool.files), bases: [] });
  await noteMended(host, state, pool.files);
  return together(sent, packages);
}

interface Others extends Base, Pick<FrozenSource, 'tree'> {
  /** What was mended. */
  readonly wrong: readonly string[];
}

/** Earlier snapshots had what was broken by other names of the same files. */
async function mendOthers({ host, view }: Session, state: SetState, { tree, wrong, ...mended }: Others): Promise<void> {
  const pool = poolName(host.set.name);
  const placeOf = ({ snapshot, manifest: { shared = [] } }: Base, path: string) =>
    shared.some((folder) => path.startsWith(`${folder}/`)) ? pool : snapshot;
  const done = new Set([mended.snapshot, ...(mended.manifest.shared ?? []).map(() => pool)]);
  for (const snapshot of view?.snapshots ?? []) {
    const manifest = await state.manifest(snapshot);
    if (manifest === null) continue;
    for (const target of [snapshot, pool].filter((one) => !done.has(one))) {
      const paths = wrong.filter(
        (path) => same(manifest, mended.manifest, path) && placeOf({ snapshot, manifest }, path) === target,
      );
      for (const base of new Set(paths.map((path) => placeOf(mended, path)))) {
        const some = paths.filter((path) => placeOf(mended, path) === base);
        await mendDifferences(host, tree, { snapshot: target, paths: some, base });
      }
    }
  }
}

function same(one: Manifest, other: Manifest, path: string): boolean {
  const [a, b] = [one.files[path], other.files[path]];
  return a !== undefined && b !== undefined && a.sha256 === b.sha256 && a.mtime === b.mtime;
}
