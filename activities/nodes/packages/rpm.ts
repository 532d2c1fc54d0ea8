import type { NodePackage, NodeRepository, PackageManager } from './port.ts';

const withoutWeak = '--setopt=install_weak_deps=False';
const dnf = ['dnf', '--assumeyes', withoutWeak];
/** Of a package that is named the one under test, or none: where that is the default, dnf takes an older one that fits. */
const noOther = '--best';

/** dnf takes the lowest number first, whatever the versions. */
const priorities = { pinned: 1, test: 5, released: 10 } as const;

/** What is under test counts as released, too: by an empty value an exclusion is taken back. */
const asReleased = ['--enablerepo=sluice-*-released', '--setopt=sluice-*-released.excludepkgs='];

/** As if there were no test repositories. */
const onlyReleased = ['--disablerepo=sluice-*', ...asReleased];

/** Packages are signed when they are released; before that the signed index vouches for them, by digest. */
const packages = { test: 0, released: 1 } as const;

export const dnfNode: PackageManager = {
  format: 'rpm',
  environment: { LC_ALL: 'C.UTF-8' },
  configure,
  refresh: [...dnf, '--disablerepo=*', '--enablerepo=sluice-*', 'makecache', '--refresh'],
  refreshAll: [...dnf, 'makecache', '--refresh'],
  install: (packages) => [...dnf, noOther, 'install', ...packages.map(wanted)],
  installReleased: (packages) => [...dnf, ...onlyReleased, 'install', ...packages.map(wanted)],
  versions: (name) => [
    ...['dnf', '--quiet', '--disablerepo=*', ...asReleased, 'repoquery'],
    ...['--latest-limit=1', '--queryformat', '%{evr}\\n', name],
  ],
  releasedVersion: (listed) => listed.split('\n').find((line) => /^[\w.:+~^-]+$/.test(line)) ?? null,
  recommends: (name) => ['rpm', '--query', '--recommends', name],
  configuration: (name) => ['rpm', '--query', '--configfiles', name],
  reinstall: (packages) => [...dnf, 'reinstall', ...packages.map(wanted)],
  selectModule: (name, stream) => [
    [...dnf, 'module', 'reset', name],
    [...dnf, 'module', 'enable', `${name}:${stream}`],
  ],
  resolve: (packages) => ['dnf', '--assumeno', withoutWeak, noOther, 'install', ...packages.map(wanted)],
  // It ends with 1 where it had something to ask.
  resolved: ({ code, output }) => code === 0 || /^Operation aborted\b/m.test(output),
  remove: (names) => [...dnf, 'remove', ...names],
  verify: (name) => ['rpm', '--verify', name],
  installed: ['rpm', '--query', '--all', '--queryformat', '%{NAME}\\t%{EVR}\\n'],
  refusesRemoval: (output) =>
    /would result in removing the following (?:protected packages|running kernel)/.test(output),
  failedScript,
  runningScript,
};

function configure(repositories: readonly NodeRepository[]): Record<string, string> {
  const files: Record<string, string> = {};
  const sections = repositories.map((repository, position) => {
    const { url, kind, key, pins } = repository;
    const path = `/etc/pki/rpm-gpg/sluice-${position}.asc`;
    if (key !== undefined) files[path] = key;
    const checks =
      key === undefined ? 'gpgcheck=0\n' : `gpgcheck=${packages[kind]}\nrepo_gpgcheck=1\ngpgkey=file://${path}\n`;
    const excluded = excludedFrom(repository, repositories);
    const excludes = excluded.length === 0 ? '' : `excludepkgs=${excluded.join(',')}\n`;
    const id = kind === 'released' ? `sluice-${position}-released` : `sluice-${position}`;
    const head = `[${id}]\nname=Sluice ${kind} ${position}\nbaseurl=${url}\nenabled=1\n`;
    return `${head}priority=${priorities[pins === undefined ? kind : 'pinned']}\nmetadata_expire=1\nskip_if_unavailable=0\n${checks}${excludes}`;
  });
  files['/etc/yum.repos.d/sluice.repo'] = sections.join('\n');
  return files;
}

/**
 * A priority is a preference: where the first choice cannot be installed, dnf takes the next, and says nothing. What a
 * repository is not to stand in for is not in it.
 */
function excludedFrom({ kind, pins, without = [] }: NodeRepository, all: readonly NodeRepository[]): readonly string[] {
  const pinned = all.flatMap((other) => other.pins ?? []).map(({ name }) => name);
  const held = kind === 'released' ? all.flatMap(({ names = [] }) => names) : [];
  return [...new Set([...without.map(exactly), ...held, ...(pins === undefined ? pinned : [])])];
}

/**
 * As an exclusion names a version. With an epoch it is no package's name: were any repository to hold a package that is
 * called `NAME-VERSION`, dnf 4 would take the words for that one, and exclude nothing.
 */
function exactly(one: NodePackage): string {
  const { version } = one;
  return wanted(version === undefined || version.includes(':') ? one : { ...one, version: `0:${version}` });
}

function wanted({ name, version, arch }: NodePackage): string {
  if (version === undefined) return name;
  return arch === undefined ? `${name}-${version}` : `${name}-${version}.${arch}`;
}

/** A script that runs after the files are there does not stop rpm: it warns. */
function failedScript(name: string, output: string): string | null {
  const failed = [...output.matchAll(/%\w+\((.+)-[^-]+-[^-]+\) scriptlet failed, exit status \d+/g)];
  return failed.find(([, of]) => of === name)?.[0] ?? null;
}

function runningScript(output: string): string | null {
  const running = /^\s*(?:>>> )?Running (?:%\w+ )?scriptlet: (\S+)/;
  for (const line of output.split(/\r?\n/).reverse()) {
    const name = running.exec(line)?.[1];
    if (name !== undefined) return `scriptlet of ${name}`;
  }
  return null;
}
