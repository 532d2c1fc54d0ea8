import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PackageFile, PackageFormat } from '../../pipelines/model/artifact.ts';
import type { BlobStore } from '../ports.ts';
import { repositoryFormats } from '../repository/formats.ts';
import type { PackageRelations, RepositoryFormat } from '../repository/port.ts';

/** Names of two packages that exclude one another. */
export type Pair = readonly [one: string, other: string];

/** Reads from the packages themselves which of them exclude one another. */
export async function readApart(
  store: BlobStore,
  files: readonly (PackageFile & { readonly format: PackageFormat })[],
  folder: string,
): Promise<readonly Pair[]> {
  const read = await Promise.all(
    files.map(async ({ digest, name, format, package: of }, position) => {
      const path = join(folder, `${position}`, basename(name));
      await mkdir(join(folder, `${position}`));
      await store.fetch(digest, path);
      return { name: of, relations: await repositoryFormats[format].relations(path), format };
    }),
  );
  const formats = [...new Set(read.map(({ format }) => format))];
  return formats.flatMap((format) =>
    pairsApart(
      read.filter((one) => one.format === format),
      repositoryFormats[format],
    ),
  );
}

interface Named {
  readonly name: string;
  readonly relations: PackageRelations;
}

/** The pairs of which one package says that it does not stand beside the other, each once. */
function pairsApart(packages: readonly Named[], { matches }: Pick<RepositoryFormat, 'matches'>): readonly Pair[] {
  const refuses = (one: Named, other: Named) =>
    one.relations.refuses.some((relation) => other.relations.offers.some((offer) => matches(relation, offer)));
  return packages.flatMap((one, position) =>
    packages
      .slice(position + 1)
      .filter((other) => one.name !== other.name && (refuses(one, other) || refuses(other, one)))
      .map((other): Pair => [one.name, other.name]),
  );
}

/**
 * Puts names into as few sets as they come to when each is put into the first one that takes it.
 *
 * @param fits whether these can stand together. Asked for sets of two and more.
 */
export async function standTogether(
  names: readonly string[],
  fits: (names: readonly string[]) => Promise<boolean>,
): Promise<readonly (readonly string[])[]> {
  const sets: string[][] = [];
  for (const name of names) {
    let placed = false;
    for (const set of sets) {
      placed = await fits([...set, name]);
      if (placed) set.push(name);
      if (placed) break;
    }
    if (!placed) sets.push([name]);
  }
  return sets;
}
