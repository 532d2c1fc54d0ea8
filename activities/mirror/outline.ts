import { outlineFormats, outlineLines } from '../../pipelines/mirror/outline.ts';
import type { PoolRecord } from '../../pipelines/mirror/pool.ts';
import { poolName } from '../../pipelines/mirror/shared.ts';
import { digestOfTexts } from '../files/digest.ts';
import type { Work } from './command.ts';
import type { MirrorHost } from './host.ts';
import { placeOf } from './snapshot.ts';
import type { Outline, SetState } from './state.ts';

type Noting = Pick<Work, 'state' | 'context'>;

/** Notes how hosts stand that show a snapshot whole, so that the next look at them need compare no files. */
export function noteOutlines(work: Noting, snapshot: string, hosts: readonly MirrorHost[]): Promise<void> {
  const asked = hosts.filter(({ transport }) => transport.shell !== null);
  return saving(work, note(work.state, snapshot, asked));
}

/** Lets hosts be listed until something is sent to them again: they did not say in time how they stand. */
export function forgetOutlines(work: Noting, hosts: readonly MirrorHost[]): Promise<void> {
  return saving(work, forget(work.state, hosts));
}

/** A note only saves time: where it cannot be written that is said, and nothing fails. */
function saving({ context }: Noting, noting: Promise<void>): Promise<void> {
  return noting.catch((error: Error) => {
    context.log(`warning: the next sync takes longer to see that nothing changed: ${error.message}`);
  });
}

async function note(state: SetState, snapshot: string, hosts: readonly MirrorHost[]): Promise<void> {
  const known = hosts.length === 0 ? null : await state.own(snapshot);
  if (known === null) return;
  const own = digestOfTexts(outlineLines(known.own));
  const outlines: Record<string, Outline> = {};
  const digests = new Map<PoolRecord, string>();
  for (const { name } of hosts) {
    const record = known.pooled ? await state.pool(name) : null;
    if (known.pooled && record === null) continue;
    const pool =
      record === null ? null : (digests.get(record) ?? digestOfTexts(outlineLines({ ...record, links: {} })));
    if (record !== null && pool !== null) digests.set(record, pool);
    outlines[name] = { snapshot, own, pool };
  }
  await state.saveOutlines({ ...(await state.outlines()), ...outlines });
}

async function forget(state: SetState, hosts: readonly MirrorHost[]): Promise<void> {
  if (hosts.length === 0) return;
  const names = new Set(hosts.map(({ name }) => name));
  const left = Object.entries(await state.outlines()).filter(([name]) => !names.has(name));
  await state.saveOutlines(Object.fromEntries(left));
}

/**
 * Whether a host stands as was noted; null where nothing is noted, or it cannot tell.
 *
 * @throws MirrorError `timeout` when the host is silent
 */
export async function isAsNoted(host: MirrorHost, state: SetState, snapshot: string): Promise<boolean | null> {
  const noted = (await state.outlines())[host.name];
  if (noted?.snapshot !== snapshot || host.transport.shell === null) return null;
  const names = noted.pool === null ? [snapshot] : [snapshot, poolName(host.set.name)];
  const places = names.map((name) => host.transport.directory(placeOf(host, name)));
  const found = await host.transport.shell(outlineScript, places);
  if (found === null) return null;
  const wanted = noted.pool === null ? [noted.own] : [noted.own, noted.pool];
  return found === wanted.map((digest) => `${digest}  -\n`).join('');
}

const { file, link, other } = outlineFormats;
/** A host counts as silent that says nothing for long: it says how far it is, where that is not taken for the digest. */
const outlineScript = `
for place; do
  cd -- "$place" || return
  find . -type d -o -type f -printf '${file}' -o -type l -printf '${link}' -o -printf '${other}' |
    LC_ALL=C awk '{ print } NR % 1000 == 0 { print NR >"/dev/stderr"; fflush("/dev/stderr") }' |
    LC_ALL=C sort | sha256sum
done`;
