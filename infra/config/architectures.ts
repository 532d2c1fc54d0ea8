import { hostArch } from '../../activities/host-arch.ts';
import { debianName, hasArchitectures } from '../../pipelines/model/architecture.ts';
import { builtInPlatforms } from '../images/platforms.ts';
import type { Fault } from './fault.ts';

interface Project {
  readonly arch?: readonly string[] | undefined;
  readonly templates: readonly string[];
}

interface OwnPlatform {
  readonly format: 'deb' | 'rpm';
  readonly arch: string;
  readonly primary?: string | undefined;
}

type Projects = Readonly<Record<string, Project>>;

/** What is wrong with the architectures of projects and platforms beside other keys, whoever reads them. */
export function architectureFaults({
  projects,
  platforms,
}: {
  readonly projects: Projects;
  readonly platforms: Readonly<Record<string, OwnPlatform>>;
}): readonly Fault[] {
  return [
    ...Object.entries(projects).flatMap(([name, project]) => projectFaults(name, project)),
    ...Object.entries(platforms).flatMap(([name, { primary }]) =>
      primary === undefined ? [] : primaryFaults(name, { platforms, primary }),
    ),
  ];
}

/** What is wrong with them for a server on this machine, and for no command that only asks one. */
export function ownArchitectureFaults(projects: Projects, own = hostArch()): readonly Fault[] {
  const message = `must have ${own}, the server's own: packages for every architecture are built there`;
  return Object.entries(projects).flatMap(([name, { arch }]) =>
    arch === undefined || arch.includes(own) ? [] : [{ path: ['projects', name, 'arch'], message }],
  );
}

function projectFaults(name: string, { arch, templates }: Project): readonly Fault[] {
  const path = ['projects', name, 'arch'];
  if (arch === undefined || arch.length === 1 || hasArchitectures(templates)) return [];
  const mend = 'where zuul.yaml names templates, name deb-package-ARCH or rpm-package-ARCH there, too';
  return [{ path, message: `is for projects with the templates deb-package or rpm-package: ${mend}` }];
}

function primaryFaults(
  name: string,
  { platforms, primary }: { readonly platforms: Readonly<Record<string, OwnPlatform>>; readonly primary: string },
): readonly Fault[] {
  const path = ['platforms', name, 'primary'];
  const all = new Map<string, OwnPlatform>([
    ...builtInPlatforms.map((each) => [each.name, each] as const),
    ...Object.entries(platforms),
  ]);
  const [self, found] = [all.get(name), all.get(primary)];
  if (self === undefined || found === undefined) {
    return [{ path, message: `there is no platform ${primary}: there are ${[...all.keys()].join(', ')}` }];
  }
  if (found.primary !== undefined) return [{ path, message: `must be ${found.primary}, the primary of ${primary}` }];
  if (found.format !== self.format) return [{ path, message: `must be for ${self.format} packages, as ${name} is` }];
  if (debianName(found.arch) !== debianName(self.arch)) return [];
  return [{ path, message: `must be of another architecture than ${name}: both are ${found.arch}` }];
}
