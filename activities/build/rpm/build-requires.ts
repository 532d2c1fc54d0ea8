import { versionRules } from '../../../pipelines/formats/format.ts';
import { assertFetched } from '../../nodes/packages/download-fault.ts';
import { unmetRelations } from '../apt.ts';
import { BuildProblem } from '../problem.ts';
import { placeFile, type Room } from '../room.ts';
import { debianCandidates, debianFiles } from './debian-names.ts';
import { alternativesOf, type Requirement } from './requirement.ts';

/** How one requirement is met: by Debian packages, by an RPM package, or by what is installed already. */
type Answer =
  | { readonly kind: 'debian'; readonly packages: readonly string[]; readonly capability: string }
  | { readonly kind: 'rpm'; readonly requirement: string }
  | { readonly kind: 'there' };

const archiveIndex = '/usr/share/sluice/debian-files';
const extraProvides = '/build/work/provides';
// Debian's dnf offers what it has downloaded before as a repository without a key: not here.
const dnf = ['dnf', '--assumeyes', '--quiet', '--disableplugin=local', '--setopt=install_weak_deps=False'];

/** How often dnf may name something more that a package of the test repositories needs from Debian. */
const rounds = 4;

/**
 * Installs what a spec's BuildRequires stand for on a Debian-based platform: packages of the offered RPM repositories
 * first, else Debian packages.
 *
 * @throws BuildProblem that names every requirement that nothing meets.
 */
export async function installBuildRequires(requirements: readonly string[], room: Room): Promise<void> {
  const offered = await offeredCapabilities(room);
  const answers = await answer(requirements, offered, room);
  const debian = [...new Set(answers.flatMap((each) => (each.kind === 'debian' ? each.packages : [])))];
  await installDebian(debian, room);
  const rpms = answers.flatMap((each) => (each.kind === 'rpm' ? [each.requirement] : []));
  if (rpms.length === 0) return;
  const provides = answers.flatMap((each) => (each.kind === 'debian' ? [each.capability] : []));
  await installRpms(rpms, provides, room);
}

async function answer(
  requirements: readonly string[],
  offered: ReadonlySet<string>,
  room: Room,
): Promise<readonly Answer[]> {
  const wanted = requirements.map((text) => ({ text, choices: alternativesOf(text) }));
  const names = wanted.flatMap(({ choices }) => (choices ?? []).flat().map(({ name }) => name));
  const there = await installedCapabilities(names, room);
  const archive = await readArchive(names, room);
  const answers = wanted.map(({ text, choices }) => ({
    text,
    found: choices && meet(choices, { there, offered, archive }),
  }));
  const missing = answers.filter(({ found }) => !found);
  if (missing.length > 0) {
    const list = missing.map(({ text }) => text).join(', ');
    throw new BuildProblem(`BuildRequires that no package provides: ${list}`);
  }
  return answers.flatMap(({ found }) => found ?? []);
}

interface World {
  readonly there: ReadonlySet<string>;
  readonly offered: ReadonlySet<string>;
  readonly archive: Archive;
}

/** The first alternative that can be met whole; null when none can. */
function meet(choices: readonly (readonly Requirement[])[], world: World): readonly Answer[] | null {
  for (const together of choices) {
    const answers = together.map((requirement) => meetOne(requirement, world));
    const met = answers.filter((each) => each !== null);
    if (met.length === answers.length) return met;
  }
  return null;
}

function meetOne(requirement: Requirement, { there, offered, archive }: World): Answer | null {
  const { name, text } = requirement;
  if (offered.has(name)) return { kind: 'rpm', requirement: text };
  if (there.has(name)) return { kind: 'there' };
  const packages = archive.find(requirement);
  return packages === null ? null : { kind: 'debian', packages, capability: name };
}

/** Everything that the offered repositories' packages provide, files in their package lists included. */
async function offeredCapabilities(room: Room): Promise<ReadonlySet<string>> {
  const files = await room.root(['/bin/sh', '-c', 'ls /etc/yum.repos.d/sluice.repo 2>/dev/null || true'], {
    quiet: true,
  });
  if (files.output.trim() === '') return new Set();
  const query = [...dnf, '--disablerepo=*', '--enablerepo=sluice-*', 'repoquery', '--available', '--provides', '*'];
  const { code, output } = await room.root(query, { quiet: true });
  if (code !== 0) throw new Error(`the offered repositories cannot be read: ${output.trim().split('\n').pop()}`);
  return new Set(output.split('\n').map((line) => line.split(' ')[0] ?? ''));
}

/** Which of the names rpm's own database provides: the base system, as `sluice-debian-base` describes it. */
async function installedCapabilities(names: readonly string[], room: Room): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const script =
    'for name; do rpm --query --whatprovides "$name" >/dev/null 2>&1 && printf "%s\\n" "$name"; done; true';
  const { output } = await room.root(['/bin/sh', '-c', script, 'sh', ...new Set(names)], { quiet: true });
  return new Set(output.split('\n').filter(Boolean));
}

interface Archive {
  /** Debian packages for a requirement; null when the archive has none, or none that is new enough. */
  find(requirement: Requirement): readonly string[] | null;
}

async function readArchive(names: readonly string[], room: Room): Promise<Archive> {
  const byFile = await findFiles(names, room);
  const candidates = (name: string) => [...(byFile.get(name) ?? []).map((each) => [each]), ...debianCandidates(name)];
  const versions = await candidateVersions([...new Set(names.flatMap((name) => candidates(name).flat()))], room);
  const has = (packages: readonly string[]) => packages.every((each) => versions.has(each));
  const fits = (requirement: Requirement, packages: readonly string[]) => {
    const version = versions.get(packages[0] ?? '');
    return version === undefined || requirement.accepts((other) => versionRules.rpm.compareVersions(version, other));
  };
  return {
    find: (requirement) => {
      const found = candidates(requirement.name).find(has);
      return found !== undefined && fits(requirement, found) ? found : null;
    },
  };
}

/** Debian packages with the files that the capabilities stand for. */
async function findFiles(names: readonly string[], room: Room): Promise<ReadonlyMap<string, readonly string[]>> {
  const patterns = new Map(names.map((name) => [name, debianFiles(name)]));
  if (![...patterns.values()].some((each) => each.length > 0)) return new Map();
  const found = new Map<string, string[]>();
  const words = names.flatMap(
    (name) =>
      /([\w.+-]+)\)?$/
        .exec(name.replace(/\)\(.*$/, ')'))?.[1]
        ?.split('::')
        .pop() ?? [],
  );
  const argv = ['grep', '-i', '-F', ...words.flatMap((word) => ['-e', word]), archiveIndex];
  const { output } = await room.root(argv, { quiet: true });
  for (const line of output.split('\n')) {
    const [, path = '', packages = ''] = /^(\S+)\s+(\S+)$/.exec(line) ?? [];
    for (const [name, each] of patterns) {
      if (!each.some((pattern) => pattern.test(path))) continue;
      const owners = packages.split(',').map((owner) => owner.split('/').pop() ?? '');
      found.set(
        name,
        [...(found.get(name) ?? []), ...owners].sort((a, b) => a.length - b.length),
      );
    }
  }
  return found;
}

/** The archive's version of each package that it has, without epoch and revision. */
async function candidateVersions(packages: readonly string[], room: Room): Promise<ReadonlyMap<string, string>> {
  if (packages.length === 0) return new Map();
  const { output } = await room.root(['apt-cache', 'policy', ...packages], { quiet: true });
  const found = new Map<string, string>();
  let name = '';
  for (const line of output.split('\n')) {
    name = /^(\S+):$/.exec(line)?.[1] ?? name;
    const version = /^ {2}Candidate: (.+)$/.exec(line)?.[1];
    if (version !== undefined && version !== '(none)')
      found.set(name, version.replace(/^\d+:/, '').replace(/-[^-]*$/, ''));
  }
  return found;
}

async function installDebian(packages: readonly string[], room: Room): Promise<void> {
  if (packages.length === 0) return;
  const argv = [
    'apt-get',
    '--yes',
    '--quiet',
    '--no-install-recommends',
    '-o',
    'Dpkg::Use-Pty=0',
    'install',
    ...packages,
  ];
  if ((await room.root(argv)).code === 0) return;
  const refreshed = await room.root(['apt-get', '--quiet', 'update', '-o', 'APT::Update::Error-Mode=any']);
  if (refreshed.code !== 0) throw new Error(`the package indexes cannot be read: ${last(refreshed.output)}`);
  const { code, output } = await room.root(argv);
  if (code === 0) return;
  const unmet = await unmetRelations(packages, ['satisfy', '--', ...packages], room);
  if (unmet !== null) throw new BuildProblem(unmet);
  throw new Error(`Debian packages cannot be installed: ${last(output)}`);
}

function last(output: string): string {
  return output.trim().split('\n').pop() ?? '';
}

/**
 * Installs packages of the offered repositories. What they need of Debian is installed as dnf names it, and made known
 * to rpm.
 */
async function installRpms(requirements: readonly string[], provides: readonly string[], room: Room): Promise<void> {
  const known = [...provides];
  for (let round = 0; ; round++) {
    await describeDebian(known, room);
    // An older one that needs nothing more is not what the build is to be tried with.
    const { code, output } = await room.root([...dnf, '--best', 'install', ...requirements]);
    if (code === 0) return;
    assertFetched(output);
    const needed = neededOf(output);
    if (needed.length === 0 || round === rounds || needed.every((each) => known.includes(each))) {
      throw new BuildProblem(
        `BuildRequires cannot be installed: ${needed.join(', ') || (output.trim().split('\n').pop() ?? '')}`,
      );
    }
    const answers = await answer(needed, new Set(), room);
    await installDebian([...new Set(answers.flatMap((each) => (each.kind === 'debian' ? each.packages : [])))], room);
    known.push(...needed);
  }
}

function neededOf(output: string): string[] {
  const found = [...output.matchAll(/nothing provides (.+?) needed by /g)].map((match) => match[1] ?? '');
  return [...new Set(found)];
}

/** Tells rpm's database what the Debian packages that were installed meanwhile provide. */
async function describeDebian(capabilities: readonly string[], room: Room): Promise<void> {
  await placeFile(room, extraProvides, capabilities.map((each) => `${each}\n`).join(''));
  const { code, output } = await room.root(['/bin/sh', '/usr/share/sluice/rpm-base.sh', extraProvides], {
    quiet: true,
  });
  if (code !== 0) throw new Error(`rpm cannot be told of Debian's packages: ${output.trim().split('\n').pop()}`);
}
