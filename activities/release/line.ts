import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PackagesManifest } from '../../pipelines/model/artifact.ts';
import { readEnvelope } from '../../pipelines/model/provenance.ts';
import { otherBranchReleased, otherPlatformReleased } from '../../pipelines/report/walls.ts';
import type { InspectedPackage, ListedPackage } from '../repository/port.ts';

const parameters = z.object({ platform: z.string(), source: z.object({ branch: z.string() }) });

export interface Released {
  readonly tree: string;
  readonly packages: readonly ListedPackage[];
  /** Where the statement about a file of the tree stands. */
  readonly statementPath: (tree: string, name: string) => string;
}

/**
 * Whether what is released of some package comes from another branch or platform than the build: then there is a
 * better reason than versions for their not fitting together, and what to do about it. Null where it does not.
 */
export async function otherLine(
  { tree, packages, statementPath }: Released,
  files: readonly InspectedPackage[],
  { source: { branch }, platform }: PackagesManifest,
): Promise<string | null> {
  for (const { name, arch } of files) {
    for (const one of packages.filter((each) => each.name === name && each.arch === arch)) {
      const file = one.path.split('/').at(-1) ?? '';
      const text = await readFile(statementPath(tree, file), 'utf8').catch(() => null);
      if (text === null) continue;
      const told = parameters.safeParse(readEnvelope(text).statement.predicate.buildDefinition.externalParameters);
      if (!told.success) continue;
      const { data } = told;
      if (data.platform !== platform) return otherPlatformReleased(name, { there: data.platform, here: platform });
      if (data.source.branch !== branch) return otherBranchReleased(name, { there: data.source.branch, here: branch });
    }
  }
  return null;
}
