import { basename } from 'node:path';
import { noarchDifference, noarchQuery } from '../../../pipelines/formats/rpm/noarch.ts';
import type { CommonPlace } from '../port.ts';
import { BuildProblem } from '../problem.ts';
import type { Room } from '../room.ts';

const options = { quiet: true, env: { HOME: '/' } } as const;

/**
 * Compares what a build made for every architecture with what the other platform's build made: that one's is kept.
 *
 * @param paths of the built packages
 * @param common the other build's; undefined where there are none to compare with
 * @returns the paths of packages for the platform's own architecture
 * @throws BuildProblem that names the first package which differs, or is not there
 */
export async function withoutNoarch(
  paths: readonly string[],
  common: CommonPlace | undefined,
  room: Room,
): Promise<readonly string[]> {
  const noarch = paths.filter((path) => path.endsWith('.noarch.rpm'));
  if (common !== undefined) for (const path of noarch) await requireSame(path, common, room);
  return paths.filter((path) => !noarch.includes(path));
}

async function requireSame(path: string, { directory, names }: CommonPlace, room: Room): Promise<void> {
  const name = basename(path);
  const { primary } = room.platform;
  if (!names.has(name))
    throw new BuildProblem(`${name} is for every architecture, and the build on ${primary} made none`);
  const difference = noarchDifference(await describe(path, room), await describe(`${directory}/${name}`, room));
  if (difference === null) return;
  throw new BuildProblem(`${name} is for every architecture, and differs from that built on ${primary}: ${difference}`);
}

function describe(path: string, room: Room): Promise<string> {
  const argv = ['rpm', '--query', '--package', '--nosignature', '--queryformat', noarchQuery, path];
  return room.build('look at a package', argv, options);
}
