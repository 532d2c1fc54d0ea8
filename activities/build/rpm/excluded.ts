import { exclusionIn } from '../../../pipelines/formats/rpm/exclusion.ts';
import { BuildProblem } from '../problem.ts';
import { places, type Room } from '../room.ts';

/**
 * Asks rpm whether the platform is one that the spec is for: reading it for a build, it says so.
 *
 * @param argv options of every rpm tool.
 * @throws BuildProblem (SKIPPED) when it is not.
 */
export async function refuseExcluded(specFile: string, argv: readonly string[], room: Room): Promise<void> {
  // A build of nothing: whatever else is wrong with the spec is found by those that read it afterwards.
  const read = ['rpmbuild', ...argv, '-bp', '--nobuild', '--nodeps', specFile];
  const output = await room.build('spec', ['sh', '-c', '"$@" 2>&1 || true', 'sh', ...read], {
    cwd: places.source,
    quiet: true,
  });
  const reason = exclusionIn(output);
  if (reason !== null) throw new BuildProblem(reason, 'SKIPPED');
}
