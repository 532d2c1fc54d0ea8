import type { NodePackage, NodeRepository, PackageManager } from './port.ts';

const apt = ['apt-get', '--yes', '--quiet', '--option', 'Dpkg::Use-Pty=0', '--option', 'Acquire::Retries=2'];
/** By default an index that cannot be fetched is a warning, and the old one is used. */
const update = ['--option', 'APT::Update::Error-Mode=any', 'update'];
/** What somebody has changed stays: nobody is there to be asked. */
const keepChanges = ['--force-confdef', '--force-confold'].flatMap((one) => ['--option', `Dpkg::Options::=${one}`]);
const install = [...apt, ...keepChanges, '--no-install-recommends', '--allow-downgrades', 'install'];
const ownSources = '/etc/apt/sources.list.d/sluice.list';
/** A folder of preferences by which nothing comes from test repositories. */
const onlyReleased = '/etc/apt/sluice-released';

/** Above 1000 a version is taken even where a higher one is installed: the order of test, released, the rest. */
const priorities = { test: 1200, released: 1100 } as const;

/** Of the packages under test: their neighbours' test repositories have the same origin, and may have newer ones. */
const pinned = 1300;

/** dpkg's words before each maintainer script, with the script that runs next. */
const phases: readonly (readonly [RegExp, string])[] = [
  [/^Preparing to unpack \S*?([^\s/_]+)_\S+ \.\.\./, 'preinst'],
  [/^Setting up (\S+) \(/, 'postinst'],
  [/^Removing (\S+) \(/, 'prerm'],
  [/^Purging configuration files for (\S+) \(/, 'postrm'],
  [/^Processing triggers for (\S+) \(/, 'trigger'],
];

export const aptNode: PackageManager = {
  format: 'deb',
  environment: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' },
  configure,
  refresh: [
    ...apt,
    ...['--option', `Dir::Etc::sourcelist=${ownSources}`, '--option', 'Dir::Etc::sourceparts=-'],
    ...['--option', 'APT::Get::List-Cleanup=0', ...update],
  ],
  refreshAll: [...apt, ...update],
  install: (packages) => [...install, ...packages.map(wanted)],
  installReleased: (packages) => [
    ...install,
    ...['--option', `Dir::Etc::PreferencesParts=${onlyReleased}`],
    ...packages.map(wanted),
  ],
  versions: (name) => ['apt-cache', 'madison', name],
  releasedVersion,
  recommends: (name) => ['dpkg-query', '--show', '--showformat', `\${Recommends}\n`, name],
  configuration: (name) => ['dpkg-query', '--show', '--showformat', `\${Conffiles}\n`, name],
  reinstall: (packages) => [...install, '--reinstall', ...packages.map(wanted)],
  resolve: (packages) => [...install, '--simulate', ...packages.map(wanted)],
  resolved: ({ code }) => code === 0,
  remove: (names) => [...apt, 'purge', '--auto-remove', ...names],
  verify: (name) => ['dpkg', '--verify', name],
  installed: ['dpkg-query', '--show', '--showformat', `\${binary:Package}\\t\${Version}\\n`],
  refusesRemoval: (output) =>
    /Essential packages were removed and -y was used|Removing essential system-critical packages is not permitted/.test(
      output,
    ) || /this is (?:an essential|a protected) package; it should not be removed/.test(output),
  failedScript: () => null,
  runningScript,
};

function configure(repositories: readonly NodeRepository[]): Record<string, string> {
  const files: Record<string, string> = {};
  const lines = repositories.map(({ url, codename, key }, position) => {
    const path = `/etc/apt/keyrings/sluice-${position}.asc`;
    if (key !== undefined) files[path] = key;
    return `deb [${key === undefined ? 'trusted=yes' : `signed-by=${path}`}] ${url} ${codename} main\n`;
  });
  files[ownSources] = lines.join('');
  const pins = new Map(repositories.map(({ origin, kind }) => [origin, priorities[kind]]));
  const exact = repositories.flatMap((repository) => repository.pins ?? []);
  const without = repositories.flatMap((repository) => repository.without ?? []);
  files['/etc/apt/preferences.d/sluice'] = [
    ...without.map(({ name, version = '' }) => pin(name, `version ${withoutZero(version)}`, -1)),
    ...exact.flatMap(({ name, version }) =>
      version === undefined ? [] : pin(name, `version ${withoutZero(version)}`, pinned),
    ),
    ...[...pins].map(([origin, priority]) => pin('*', `release o=${origin}`, priority)),
  ].join('\n');
  files[`${onlyReleased}/sluice`] = [...pins]
    .map(([origin, priority]) => pin('*', `release o=${origin}`, priority === priorities.test ? -1 : priority))
    .join('\n');
  return files;
}

/** apt-cache's `NAME | VERSION | URL CODENAME/main ARCH Packages`, the highest version first. */
function releasedVersion(listed: string, urls: readonly string[]): string | null {
  for (const line of listed.split('\n')) {
    const [, version, source] = line.split('|').map((part) => part.trim());
    const url = source?.split(' ')[0]?.replace(/\/*$/, '/');
    if (version !== undefined && urls.some((one) => one.replace(/\/*$/, '/') === url)) return version;
  }
  return null;
}

function pin(packages: string, which: string, priority: number): string {
  return `Package: ${packages}\nPin: ${which}\nPin-Priority: ${priority}\n`;
}

function wanted({ name, version, arch }: NodePackage): string {
  const qualified = arch === undefined || arch === 'all' ? name : `${name}:${arch}`;
  return version === undefined ? qualified : `${qualified}=${withoutZero(version)}`;
}

/** An epoch of 0 is the same as none, and apt finds no version by it. */
function withoutZero(version: string): string {
  return version.replace(/^0+:/, '');
}

function runningScript(output: string): string | null {
  for (const line of output.split(/\r?\n/).reverse()) {
    for (const [pattern, script] of phases) {
      const name = pattern.exec(line)?.[1];
      if (name !== undefined) return `${script} of ${name}`;
    }
  }
  return null;
}
