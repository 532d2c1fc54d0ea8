import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { debianName } from '../../pipelines/model/architecture.ts';
import { imageOf, type Platform } from '../../pipelines/model/platform.ts';
import type { AptSettings } from './apt-settings.ts';
import { isForeign } from './platforms.ts';
import { type DebianRelease, debianReleases } from './releases.ts';

/** How one image comes to be. */
export interface Recipe {
  readonly image: string;
  readonly codename: string;
  /** Debian's name of its architecture; null: this machine's. */
  readonly arch: string | null;
  /** The image it starts from; null: mmdebstrap makes it. */
  readonly from: string | null;
  /** Names of the files in `scripts/` that finish it, in order. */
  readonly scripts: readonly string[];
  /** Digest of everything that goes into it: scripts, settings, and the recipes before it. */
  readonly digest: string;
}

/** A system that is made here: a platform's package format on the release that its codename stands for. */
export type System = Pick<Platform, 'format' | 'codename'>;

/** A platform, some of whose nodes run Ansible playbooks if it is said so. */
export type WantedPlatform = Platform & { readonly control?: boolean };

/** The images that the platforms need, each after the one that it starts from. */
export async function recipesFor(
  platforms: readonly WantedPlatform[],
  settings: (codename: string) => Promise<AptSettings>,
): Promise<readonly Recipe[]> {
  const recipes = new Map<string, Recipe>();
  for (const platform of platforms.filter(({ images }) => images === 'bootstrap')) {
    const codename = codenameOf(platform);
    const arch = isForeign(platform) ? debianName(platform.arch) : null;
    const system = arch === null ? codename : `${codename}-${arch}`;
    const [base, tools] = [`sluice/${system}:base`, `sluice/${system}:tools`];
    const add = async (image: string, from: string | null, scripts: readonly string[], salt: string) => {
      if (recipes.has(image)) return;
      const texts = await Promise.all(scripts.map((name) => readFile(scriptPath(name), 'utf8')));
      const origin = from === null ? `mmdebstrap${arch ?? ''}` : (recipes.get(from)?.digest ?? from);
      recipes.set(image, { image, codename, arch, from, scripts, digest: digestOf([origin, salt, ...texts]) });
    };
    const required = releaseOf(codename)?.smaller ? ['required.sh'] : [];
    await add(base, null, ['base.sh', ...required], JSON.stringify(await settings(codename)));
    await add(tools, base, ['tools.sh'], '');
    const finish = platform.format === 'deb' ? { test: [], build: ['deb-build.sh'] } : rpmScripts(codename);
    await add(platform.testImage, base, finish.test, '');
    await add(platform.buildImage, tools, finish.build, '');
    if (platform.control) await add(imageOf(platform, 'control'), platform.buildImage, ['control.sh'], '');
  }
  return [...recipes.values()];
}

function rpmScripts(codename: string) {
  const { unshares, dnf5 } = releaseOf(codename) ?? {};
  const minimal = ['rpm-minimal.sh', ...(unshares ? ['rpm-scriptlets.sh'] : [])];
  const more = [...(dnf5 ? ['rpm-dnf5.sh'] : []), 'rpm-base.sh'];
  return {
    test: [...minimal, ...more],
    build: [...minimal, 'rpm-build.sh', ...more],
  };
}

/** The scripts that finish the system of a virtual machine: its kernel lets rpm do what a container's does not. */
export function machineScripts(system: System): readonly string[] {
  const { smaller, dnf5 } = releaseOf(codenameOf(system)) ?? {};
  const required = smaller ? ['required.sh'] : [];
  if (system.format === 'deb') return required;
  return [...required, 'rpm-minimal.sh', ...(dnf5 ? ['rpm-dnf5.sh'] : []), 'rpm-base.sh', 'rpm-machine.sh'];
}

function releaseOf(codename: string): DebianRelease | undefined {
  return debianReleases.find((release) => release.codename === codename);
}

/** The Debian release below a platform; for RPM the one that has its `dist` tag, else the first. */
export function codenameOf({ format, codename }: System): string {
  if (format === 'deb') return codename;
  const [first] = debianReleases;
  return (debianReleases.find(({ dist }) => dist === codename) ?? first)?.codename ?? codename;
}

/** Where a script of a recipe is on the host. */
export function scriptPath(name: string): URL {
  return new URL(`scripts/${name}`, import.meta.url);
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
