import { existsSync } from 'node:fs';
import { hostArch } from '../../activities/host-arch.ts';
import { asRoot, runInTerminal } from '../../activities/process/in-terminal.ts';
import { debianName, rpmName } from '../../pipelines/model/architecture.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { Config } from '../config/load.ts';
import { madePlatforms } from '../config/platforms.ts';
import { binfmtDirectory, findEmulation, whyNotHere } from '../images/emulation.ts';
import { builtInPlatforms, isForeign } from '../images/platforms.ts';
import { aptGet, type Finding, type Step } from './step.ts';

const packages = ['qemu-user-static', 'binfmt-support'] as const;

type Wanting = Pick<Config, 'platforms' | 'projects' | 'workers'>;

/** What runs programs of other architectures, where projects or platforms are of one. */
export function foreignArchitectures(config: Wanting): Step {
  return {
    name: 'other architectures',
    why: 'packages are built and tried for them by qemu-user',
    check: async () => (await absent(config)).map(finding),
    async act(_, report) {
      await runInTerminal([...aptGet(), 'update', '-q'], report);
      await runInTerminal([...aptGet(), 'install', '-q', '-y', '--no-install-recommends', ...packages], report);
      const mount = ['mount', '-t', 'binfmt_misc', 'binfmt_misc', binfmtDirectory];
      if (!existsSync(`${binfmtDirectory}/register`)) await runInTerminal([...asRoot(), ...mount], report);
      for (const arch of await absent(config)) {
        // Debian's packages leave it out where the machine is a container itself.
        if ((await findEmulation(arch)) === 'absent') {
          await runInTerminal([...asRoot(), 'update-binfmts', '--import', `qemu-${rpmName(arch)}`], report);
        }
      }
    },
  };
}

async function absent(config: Wanting): Promise<readonly string[]> {
  const wanted = await platformsOf(config);
  const reasons = await Promise.all(wanted.map((platform) => whyNotHere(platform)));
  return [...new Set(wanted.filter((_, i) => reasons[i] !== null).map(({ arch }) => debianName(arch)))];
}

/** Those of another architecture that somebody asks for: for a project, or by their own entry. */
async function platformsOf({ projects, platforms, workers }: Wanting): Promise<readonly Platform[]> {
  if (!workers.emulate) return [];
  const foreign = madePlatforms({ platforms }).filter((one) => isForeign(one) && one.images === 'bootstrap');
  const asked = new Set<string>(
    Object.values(projects).flatMap(({ arch = [] }) => arch.filter((one) => one !== hostArch())),
  );
  return foreign.filter((one) => !builtInPlatforms.includes(one) || asked.has(debianName(one.arch)));
}

function finding(arch: string): Finding {
  const apt = [...asRoot(), 'apt-get install', ...packages].join(' ');
  return { missing: `programs for ${arch} (qemu-user)`, part: 'containers', mend: apt };
}
