import { join } from 'node:path';
import { type Bond, versionRules } from '../../pipelines/formats/format.ts';
import type { PackagesManifest } from '../../pipelines/model/artifact.ts';
import { beyondNewest, type PackageVersion } from '../../pipelines/policy/kept-versions.ts';
import { droppedBy, type MadeBySource, madeBy, markNewest, stillNeeded } from '../../pipelines/policy/obsolete.ts';
import { beyondKept, droppedByItsSource, keptForOthers } from '../../pipelines/report/dropped.ts';
import type { RepositoryFormat } from '../repository/port.ts';
import { type Coming, keyOf } from '../repository/state.ts';

interface Released {
  readonly format: RepositoryFormat;
  /** How many versions of each package stay; absent: all. */
  readonly keep: number | undefined;
  readonly manifests: readonly PackagesManifest[];
}

interface Verdict {
  readonly out: readonly PackageVersion[];
  /** What goes, and what stays although its source makes it no more, a sentence each. */
  readonly notes: readonly string[];
}

/** What a released repository is without, when these builds come: older versions, and what their sources make no more. */
export async function judgeRelease(released: Released, coming: Coming): Promise<Verdict> {
  const { format, keep } = released;
  const old = keep === undefined ? [] : outdated(format, keep, coming);
  const { going, stays } = await obsolete(released, coming);
  const notes = [
    ...old.map((one) => beyondKept(one, keep ?? 0)),
    ...going.map(({ bond, source }) => droppedByItsSource(bond, source)),
    ...stays.map(({ bond, source, by }) => keptForOthers(bond, { source, by })),
  ];
  return { out: [...old, ...going.map(({ bond }) => bond)], notes };
}

function outdated({ id }: RepositoryFormat, keep: number, { known, added }: Coming): readonly PackageVersion[] {
  return beyondNewest<PackageVersion>([...known, ...added], keep, versionRules[id].compareVersions);
}

interface Obsolete {
  readonly bond: Bond;
  /** What makes it no more. */
  readonly source: MadeBySource['source'];
}

interface Found {
  readonly going: readonly Obsolete[];
  readonly stays: readonly (Obsolete & { readonly by: Bond })[];
}

async function obsolete({ format, manifests }: Released, { before, added }: Coming): Promise<Found> {
  const builds = manifests.map(madeBy);
  const there = before === null ? [] : await format.bonds(before);
  const found = there.flatMap((bond) => {
    const source = droppedBy(bond, builds, versionRules[format.id].compareVersions);
    return source === undefined ? [] : [{ bond, source }];
  });
  if (before === null || found.length === 0) return { going: [], stays: [] };
  const out = new Set(found.map(({ bond }) => bond));
  const others = [
    ...there.filter((one) => !out.has(one)),
    ...added.flatMap(({ description }) => format.bondOf(description)),
  ];
  const whole = await withFiles(format, before, found);
  const needed = stillNeeded(
    [...whole.keys()],
    markNewest(others, versionRules[format.id].compareVersions),
    format.matches,
  );
  const judged = [...whole].map(([bond, source]) => ({ bond, source, by: needed.get(bond) }));
  return {
    going: judged.filter(({ by }) => by === undefined),
    stays: judged.flatMap(({ by, ...one }) => (by === undefined ? [] : [{ ...one, by }])),
  };
}

/** With all of their files, which RPM's dependencies may name: lists have those of some directories. */
async function withFiles(format: RepositoryFormat, tree: string, found: readonly Obsolete[]) {
  const listed = new Map((await format.list(tree)).map((one) => [keyOf(one), one.path]));
  const whole = new Map<Bond, MadeBySource['source']>();
  for (const { bond, source } of found) {
    const files = await format.contents(join(tree, listed.get(keyOf(bond)) ?? ''));
    const paths = [...files.keys()].map((name) => ({ name, operator: '', version: '' }));
    whole.set({ ...bond, offers: [...bond.offers, ...paths] }, source);
  }
  return whole;
}
