import { buildVersion, countedPart, isRaised } from '../../../pipelines/formats/deb/build-version.ts';
import { addChangelogEntry, parseChangelogHead } from '../../../pipelines/formats/deb/changelog.ts';
import { explainVersion, parseVersion } from '../../../pipelines/formats/deb/version.ts';
import { unreadable } from '../../nodes/packages/unreadable.ts';
import { unmetDependencies } from '../apt.ts';
import { commitsSince, previousState, readTip, type VersionFile, type VersionState, versionState } from '../history.ts';
import type { Prepared, Scope, SourceBuilder } from '../port.ts';
import { BuildProblem } from '../problem.ts';
import { placeFile, places, type Room } from '../room.ts';
import { locate, printable, readSourceBytes, type Source } from '../source.ts';
import { assertComplete } from './complete.ts';
import { refuseExcluded } from './excluded.ts';
import { restoreUpstream } from './upstream-tree.ts';
import { keepOverrides, keepWarnings } from './warnings.ts';

const changelogPath = 'debian/changelog';
const countedPartOf = (text: string) => {
  const head = parseChangelogHead(text);
  return head === null ? null : countedPart(head.version);
};

/** What a DEB build knows besides name and version. */
export interface PreparedDeb extends Prepared {
  readonly source: Source;
}

/** Builds DEB packages: `.dsc` with dpkg-source, then the binaries from it with dpkg-buildpackage. */
export const debBuilder: SourceBuilder<PreparedDeb> = { prepare, installDependencies, build };

async function prepare(source: Source, room: Room): Promise<PreparedDeb> {
  const absence = `${changelogPath} is missing: a DEB package is described in debian/`;
  const { path, committed } = await locate(source, changelogPath, absence);
  const old = await readSourceBytes(source, path);
  if (old === null) throw new BuildProblem(absence);
  const head = parseChangelogHead(old.toString());
  if (head === null)
    throw new BuildProblem(`${changelogPath}:1: the first line must be "NAME (VERSION) DISTRIBUTION; …"`);
  const problem = explainVersion(head.version);
  if (problem !== null) throw new BuildProblem(`${changelogPath}:1: ${printable(head.version)}: ${problem}`);
  const independent = await refuseExcluded(source, room);
  if (source.gitDir === null) return { name: head.source, version: head.version, time: null, source, independent };
  const versionFile = { path: committed, countedPart: countedPartOf };
  const state = await versionState(source.gitDir, 'HEAD', versionFile);
  // A file that is ignored by Git belongs to no commit.
  if (state === null) throw new BuildProblem(`${changelogPath} is not in the commit`);
  const version = buildVersion(head.version, state.count);
  await assertRaised(source.gitDir, versionFile, { state, version });
  const tip = await readTip(source.gitDir);
  const commits = await commitsSince(source.gitDir, state.introduced);
  const entry = { ...tip, source: head.source, version, commits, distribution: room.platform.codename };
  // Old entries may be in another encoding: they stay as they are.
  await placeFile(room, `${places.source}/${path}`, Buffer.concat([Buffer.from(addChangelogEntry('', entry)), old]));
  return { name: head.source, version, time: tip.time, source, independent };
}

interface Raised {
  readonly state: VersionState;
  readonly version: string;
}

async function assertRaised(gitDir: string, versionFile: VersionFile, { state, version }: Raised): Promise<void> {
  const before = await previousState(gitDir, state, versionFile);
  const old = before === null ? null : parseChangelogHead(before.text);
  if (before === null || old === null || explainVersion(old.version) !== null) return;
  const released = buildVersion(old.version, before.count);
  if (!isRaised(released, version)) {
    throw new BuildProblem(
      `${changelogPath}: ${version} does not sort above ${released}, which this branch had before`,
    );
  }
}

async function installDependencies({ source }: PreparedDeb, room: Room, { own }: Scope): Promise<void> {
  const options = ['-o', 'Dpkg::Use-Pty=0', '-o', 'Acquire::Retries=2'];
  const how = ['--yes', '--quiet', '--no-install-recommends', '--allow-downgrades', ...(own ? ['--arch-only'] : [])];
  const install = () => room.root(['apt-get', ...how, 'build-dep', places.source, ...options]);
  const first = await install();
  if (first.code === 0) return;
  // The image's indexes age; the archive drops what newer versions replace.
  const refreshed = await room.root(['apt-get', '--quiet', 'update', '-o', 'APT::Update::Error-Mode=any', ...options]);
  if (refreshed.code !== 0) throw new Error(`the package indexes cannot be read: ${unreadable(refreshed.output, [])}`);
  const second = await install();
  if (second.code === 0) return;
  const unmet = await unmetDependencies(source, room);
  if (unmet === null) throw new Error(`build dependencies cannot be installed: ${last(second.output)}`);
  throw new BuildProblem(unmet);
}

function last(output: string): string {
  return output.trim().split('\n').pop() ?? '';
}

async function build(prepared: PreparedDeb, room: Room, { own }: Scope): Promise<readonly string[]> {
  const { name, version, time } = prepared;
  const env = time === null ? {} : { SOURCE_DATE_EPOCH: String(time) };
  await generateOrig(prepared, room);
  // A pattern of one's own takes the place of dpkg-source's list, which leaves out *.o, *.so, .gitattributes and more.
  const pack = ['dpkg-source', '--tar-ignore=.git', '--build', 'source'];
  await room.build('source package', pack, { cwd: places.work, env });
  const upstream = version.replace(/^\d+:/, '');
  const description = `${name}_${upstream}.dsc`;
  await room.build('source package', ['dpkg-source', '--extract', description, 'tree'], { cwd: places.work, env });
  await assertComplete(description, room);
  const argv = ['dpkg-buildpackage', '--unsigned-source', '--unsigned-changes', `--build=${own ? 'any' : 'binary'}`];
  const output = await room.build('build', argv, { cwd: `${places.work}/tree`, env });
  await room.machine.quiet();
  await keepWarnings(`${name}_${upstream}`, output, room);
  await keepOverrides(`${name}_${upstream}`, room);
  const listed = await room.build('list', ['find', places.work, '-maxdepth', '1', '-type', 'f', '-print0'], {
    quiet: true,
  });
  const paths = listed.split('\0').filter((path) => path !== '' && !path.endsWith('.upstream'));
  return own ? paths.filter((path) => !isCommon(path)) : paths;
}

/** The other build's: the source package, and packages for every architecture, which rules may build in `binary-arch`, too. */
function isCommon(path: string): boolean {
  return /(\.(dsc|tar\.[a-z0-9]+|diff\.gz|asc)|_all\.u?deb)$/.test(path);
}

/** Makes the orig tarball of a package that has a Debian revision: the tree but for `debian/`, always the same bytes. */
async function generateOrig({ name, version, time }: PreparedDeb, room: Room): Promise<void> {
  await room.build('copy', ['cp', '-a', '--no-preserve=ownership', places.source, `${places.work}/source`]);
  const parsed = parseVersion(version);
  if (parsed === null || parsed.revision === '') return;
  const format = await room.build(
    'read the format',
    ['/bin/sh', '-c', 'cat debian/source/format 2>/dev/null || echo 1.0'],
    {
      cwd: `${places.work}/source`,
      quiet: true,
    },
  );
  if (/native/.test(format)) return;
  if (/quilt/.test(format)) await restoreUpstream(room);
  const file = `${name}_${parsed.upstream}.orig.tar.gz`;
  const when = time === null ? await newestTime(room) : String(time);
  const argv = ['tar', '--create', `--file=${file}`, '--use-compress-program=gzip -9n', '--sort=name', '--format=gnu'];
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', `--mtime=@${when}`];
  const names = [
    // It counts for the patterns after it: only what is at the top is left out.
    '--anchored',
    ...((await needsWholeOrig(format, room)) ? ['--exclude=source/debian/changelog'] : ['--exclude=source/debian']),
    '--exclude=source/.git',
    // Not what links say.
    `--transform=flags=rSh;s,^source,${name}-${parsed.upstream},`,
  ];
  await room.build('orig tarball', [...argv, ...owner, ...names, 'source'], { cwd: places.work });
}

/** What a diff of format 1.0 cannot hold: such a package's tarball has `debian/` too, as upstream's then has. */
const beyondDiff = `find debian -mindepth 1 \\( -type l -o -type f -empty \\) -print -quit
find debian -type f -perm /111 ! -path debian/rules -print -quit
find debian -name '*[[:cntrl:]]*' -print -quit
find debian -type f -exec grep -lP '\\x00' {} +`;

async function needsWholeOrig(format: string, room: Room): Promise<boolean> {
  if (/quilt/.test(format)) return false;
  const look = ['/bin/sh', '-c', `{ ${beyondDiff}; } || true`];
  return (await room.build('look at debian/', look, { cwd: `${places.work}/source`, quiet: true })).trim() !== '';
}

/** Without history, the changelog's date is the only one that the tree carries. */
async function newestTime(room: Room): Promise<string> {
  const argv = ['dpkg-parsechangelog', '--show-field', 'Timestamp'];
  const output = await room.build('read the changelog', argv, { cwd: `${places.work}/source`, quiet: true });
  return /\d+/.exec(output)?.[0] ?? '0';
}
