import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { must } from '../../process/run.ts';
import { listFiles } from '../files.ts';
import { checked } from '../names.ts';
import { RepositoryRefusal, type RepositorySettings } from '../port.ts';
import { installerLists } from './installer.ts';

/** A list names each file by SHA-256 as the strongest: that is what provenance and the signer know it by. */
const digests = ['-o', 'APT::FTPArchive::SHA512=false'];

/** Writes `dists/CODENAME` for what is in `pool`, with by-hash names so that a client never mixes two states. */
export async function index(tree: string, settings: RepositorySettings, date: Date): Promise<void> {
  if (settings.codename === '') throw new RepositoryRefusal('an APT repository needs a codename: give --codename');
  const dist = join(tree, 'dists', checked('codename', settings.codename));
  await mkdir(join(tree, 'pool'), { recursive: true });
  const pool = await listFiles(join(tree, 'pool'));
  const architectures = await architecturesOf(settings, pool);
  for (const arch of architectures) {
    const { stdout } = await must('apt-ftparchive', [...digests, '--arch', arch, 'packages', 'pool'], { cwd: tree });
    const { own, installer } = apart(stdout);
    await writeIndex(join(dist, 'main', `binary-${arch}`), 'Packages', own);
    if (installer !== '') await writeIndex(join(dist, 'main', installerLists, `binary-${arch}`), 'Packages', installer);
  }
  if (pool.some((path) => path.endsWith('.dsc'))) {
    const { stdout } = await must('apt-ftparchive', [...digests, 'sources', 'pool'], { cwd: tree });
    await writeIndex(join(dist, 'main', 'source'), 'Sources', stdout);
  }
  const release = await must('apt-ftparchive', [...releaseOptions(settings, architectures, date), 'release', dist]);
  const dated = release.stdout.replace(/^Date: .*$/m, `Date: ${date.toUTCString().replace('GMT', '+0000')}`);
  await writeFile(join(dist, 'Release'), dated);
}

/** The installer looks for its packages in lists of their own; APT of an installed system must not see them. */
function apart(packages: string): { readonly own: string; readonly installer: string } {
  const paragraphs = packages.split(/\n(?:[ \t]*\n)+/).filter((one) => one.trim() !== '');
  const isForInstaller = (one: string) => /^Filename:.*\.udeb$/m.test(one);
  const text = (some: readonly string[]) => some.map((one) => `${one.trim()}\n\n`).join('');
  return {
    own: text(paragraphs.filter((one) => !isForInstaller(one))),
    installer: text(paragraphs.filter(isForInstaller)),
  };
}

export function rootIndex({ codename }: RepositorySettings): string {
  return `dists/${codename}/Release`;
}

export function signatures({ codename }: RepositorySettings): { detached: string; clear: string } {
  return { detached: `dists/${codename}/Release.gpg`, clear: `dists/${codename}/InRelease` };
}

function releaseOptions(settings: RepositorySettings, architectures: readonly string[], date: Date): string[] {
  const fields = {
    Origin: settings.origin,
    Label: settings.origin,
    Suite: settings.codename,
    Codename: settings.codename,
    Architectures: architectures.join(' '),
    Components: 'main',
    Description: `${settings.origin} packages for ${settings.codename}, ${date.toISOString().slice(0, 10)}`,
  };
  const options = Object.entries(fields).map(([name, value]) => `APT::FTPArchive::Release::${name}=${value}`);
  const hashes = ['MD5', 'SHA1'].map((name) => `APT::FTPArchive::${name}=false`);
  return [...options, ...hashes, 'APT::FTPArchive::DoByHash=true'].flatMap((option) => ['-o', option]);
}

async function architecturesOf(settings: RepositorySettings, pool: readonly string[]): Promise<string[]> {
  const found = pool.flatMap((path) => /_([a-z0-9-]+)\.u?deb$/.exec(path)?.[1] ?? []);
  const named = [...new Set([...settings.architectures, ...found])].filter((arch) => arch !== 'all').sort();
  if (named.length > 0) return named;
  return [(await must('dpkg', ['--print-architecture'])).stdout.trim()];
}

async function writeIndex(directory: string, name: string, text: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, name), text);
  await writeFile(join(directory, `${name}.gz`), await promisify(gzip)(text, { level: 9 }));
}
