import type { MirrorRecord } from '../../activities/report/types.ts';
import { type MirrorTry, unmirrored } from '../../pipelines/report/mirror-story.ts';
import type { ServerDeps } from '../deps.ts';

/** How many of the last releases of a change, and transactions of a set, are looked at. */
const last = 50;

/** What mirrors may not show of what was released of a change, a sentence each. */
export async function readUnmirrored(
  { store, configuration }: Pick<ServerDeps, 'store' | 'configuration'>,
  change: string,
): Promise<readonly string[]> {
  const released = (await store.listReleases({ change, limit: last })).filter(({ state }) => state === 'published');
  const places = released.flatMap((release) => {
    return release.repositories.map(({ format, name = format }) => ({ release, repository: name }));
  });
  const told = places.map(async ({ release, repository }) => {
    const sets = configuration?.mirrorsOf?.(repository) ?? [];
    const all = await Promise.all(sets.map((set) => store.listMirrors({ set, limit: last })));
    const tries = all.flat().filter(({ startTime }) => startTime >= release.startTime);
    return unmirrored({ repository, shown: release.endTime ?? release.startTime, tries: tries.map(tryOf) });
  });
  return [...new Set((await Promise.all(told)).flat())];
}

function tryOf({ set, outcome, startTime, result }: MirrorRecord): MirrorTry {
  const hosts = (result?.hosts ?? {}) as Readonly<
    Record<string, { readonly error?: { readonly message: string } | null }>
  >;
  const reasons = Object.entries(hosts).map(([host, { error }]) => [host, error?.message ?? null] as const);
  return { set, outcome, startTime, hosts: Object.fromEntries(reasons) };
}
