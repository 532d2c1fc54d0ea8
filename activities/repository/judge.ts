import { versionRules } from '../../pipelines/formats/format.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { someOf } from '../../pipelines/model/words.ts';
import { beyondNewest, downgrades } from '../../pipelines/policy/kept-versions.ts';
import { RepositoryRefusal } from './port.ts';
import type { Judge } from './state.ts';

export interface VersionPolicy {
  /** How many versions of each package that comes stay; absent: all. */
  readonly keep?: number;
  /** Takes packages of which a newer version is there. */
  readonly downgrade?: boolean;
}

/** Judges what comes by the versions that are there. */
export function judgeVersions(format: PackageFormat, { keep, downgrade = false }: VersionPolicy): Judge {
  const { compareVersions } = versionRules[format];
  return async ({ known, added }) => {
    const found = downgrade ? [] : downgrades(added, known, compareVersions);
    if (found.length > 0) {
      const told = found.map(
        ({ older, newer }) =>
          `${older.name} ${older.version} (${older.arch}) is older than ${newer.version}, which is there`,
      );
      throw new RepositoryRefusal(`${someOf(told)}: add ${found.length === 1 ? 'it' : 'them'} with --allow-downgrade`);
    }
    return keep === undefined ? [] : beyondNewest([...known, ...added], keep, compareVersions);
  };
}
