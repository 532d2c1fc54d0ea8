import { createHash } from 'node:crypto';
import { outlineFormats, outlineText } from '../../pipelines/mirror/outline.ts';
import { poolName } from '../../pipelines/mirror/shared.ts';
import type { MirrorHost } from './host.ts';
import { placeOf } from './snapshot.ts';
import type { Outline, SetState } from './state.ts';

/** Notes how hosts stand that show a snapshot whole, so that the next look at them need compare no files. */
export async function noteOutlines(state: SetState, snapshot: string, hosts: readonly MirrorHost[]): Promise<void> {
  const known = hosts.length === 0 ? null : await state.own(snapshot);
  if (known === null) return;
  const own = digestOf(outlineText(known.own));
  const outlines: Record<string, Outline> = {};
  for (const { name } of hosts) {
    const record = known.pooled ? await state.pool(name) : null;
    if (known.pooled && record === null) continue;
    const pool = record === null ? null : digestOf(outlineText({ files: record.files, links: {} }));
    outlines[name] = { snapshot, own, pool };
  }
  await state.saveOutlines({ ...(await state.outlines()), ...outlines });
}

/** Whether a host stands as was noted; false also where it cannot tell. */
export async function isAsNoted(host: MirrorHost, state: SetState, snapshot: string): Promise<boolean> {
  const noted = (await state.outlines())[host.name];
  if (noted?.snapshot !== snapshot || host.transport.shell === null) return false;
  const names = noted.pool === null ? [snapshot] : [snapshot, poolName(host.set.name)];
  const places = names.map((name) => host.transport.directory(placeOf(host, name)));
  const found = (await host.transport.shell(outlineScript, places)) ?? '';
  const wanted = noted.pool === null ? [noted.own] : [noted.own, noted.pool];
  return found === wanted.map((digest) => `${digest}  -\n`).join('');
}

const { file, link, other } = outlineFormats;
const outlineScript = `
for place; do
  cd -- "$place" || exit
  find . -type d -o -type f -printf '${file}' -o -type l -printf '${link}' -o -printf '${other}' |
    LC_ALL=C sort | sha256sum
done`;

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
