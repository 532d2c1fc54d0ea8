import { architecturesOf, exclusion } from '../../../pipelines/formats/deb/architectures.ts';
import { BuildProblem } from '../problem.ts';
import { places, type Room } from '../room.ts';
import { readSourceFile, type Source } from '../source.ts';

/** Prints what dpkg calls this machine, then those of the architectures that mean it. */
const ask = `dpkg --print-architecture
for wanted; do dpkg-architecture "-i$wanted" 2>/dev/null && echo "$wanted"; done
true`;

/**
 * Asks dpkg whether the platform is one that the package is for.
 *
 * @returns whether it is, by packages for every architecture alone
 * @throws BuildProblem (SKIPPED) when none of its binary packages is.
 */
export async function refuseExcluded(source: Source, room: Room): Promise<boolean> {
  const wanted = architecturesOf((await readSourceFile(source, 'debian/control')) ?? '');
  const argv = ['sh', '-c', ask, 'sh', ...wanted];
  const output = await room.build('debian/control', argv, { cwd: places.home, quiet: true });
  const [machine = '', ...meant] = output.split('\n').filter(Boolean);
  const reason = exclusion(wanted, { machine, meant });
  if (reason !== null) throw new BuildProblem(reason, 'SKIPPED');
  return wanted.includes('all') && meant.every((name) => name === 'all');
}
