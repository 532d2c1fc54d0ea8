import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must, run } from '../activities/process/run.ts';

/** A real source package that carries both formats, pinned by what its files must be. */
interface PinnedSource {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
}

/** File name to SHA-256, from the archive of Debian 12. */
const pinned: readonly PinnedSource[] = [
  {
    name: 'tinycdb',
    version: '0.78',
    files: {
      'tinycdb_0.78.dsc': 'a81960f9d8a2c9de37ef4acdee9fda39f20167381f0757e54b7dfd701ad64bc9',
      'tinycdb_0.78.tar.gz': '0aa39e0004bf890f429ceed597c781ba47bb603245a2737210b99f1772798079',
    },
  },
  {
    name: 'mbw',
    version: '1.2.2-1.1',
    files: {
      'mbw_1.2.2-1.1.dsc': '9667df33b82d78e579c5949634e5c0f498a9aeaa2859c00ffb1c8628020cac79',
      'mbw_1.2.2-1.1.diff.gz': 'cf0c376657ac8933979c83cae3618b6cdcc3d3850205c869b73b1067b20b48f5',
      'mbw_1.2.2.orig.tar.gz': 'af51b97f9600acad8fa80b857097894813d483fa60f1dc1cdb86583877787e70',
    },
  },
];

/** The demo's projects in the order of their dependencies. */
export const projectNames = ['tinycdb', 'mbw', 'cdbnet'] as const;

const overlays = new URL('./packages/', import.meta.url).pathname;

/**
 * Unpacks the demo's three sources below `into`, each with its smoke and system tests added.
 *
 * @param cache directory that keeps what was downloaded for the next run
 * @throws naming every package that cannot be had, or whose files are not the pinned ones.
 */
export async function preparePackages(cache: string, into: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  await mkdir(into, { recursive: true });
  const missing: string[] = [];
  for (const source of pinned) {
    const fault = await ensureDownloaded(source, cache);
    if (fault !== undefined) missing.push(`${source.name} ${source.version}: ${fault}`);
  }
  if (missing.length > 0) throw new Error(`the demo needs sources that cannot be had:\n  ${missing.join('\n  ')}`);
  for (const source of pinned) {
    const target = join(into, source.name);
    await rm(target, { recursive: true, force: true });
    const dsc = Object.keys(source.files).find((name) => name.endsWith('.dsc')) ?? '';
    await must('dpkg-source', ['--no-check', '-x', join(cache, dsc), target]);
  }
  for (const name of projectNames) await cp(join(overlays, name), join(into, name), { recursive: true });
}

async function ensureDownloaded(source: PinnedSource, cache: string): Promise<string | undefined> {
  if (await isComplete(source, cache)) return undefined;
  const apt = await sourceOnlyApt(cache);
  const update = await run('apt-get', [...apt, 'update']);
  if (update.code !== 0) return lastLine(update.stderr);
  const got = await run('apt-get', [...apt, 'source', '--download-only', `${source.name}=${source.version}`], {
    cwd: cache,
  });
  if (got.code !== 0) return lastLine(got.stderr);
  return (await isComplete(source, cache)) ? undefined : 'its files are not the pinned ones';
}

async function isComplete(source: PinnedSource, cache: string): Promise<boolean> {
  for (const [name, digest] of Object.entries(source.files)) {
    const content = await readFile(join(cache, name)).catch(() => undefined);
    if (content === undefined || createHash('sha256').update(content).digest('hex') !== digest) return false;
  }
  return true;
}

/** The host's own archive with its sources, in lists of its own: nothing on the host is changed. */
async function sourceOnlyApt(cache: string): Promise<string[]> {
  const root = join(cache, 'apt');
  for (const dir of ['etc', 'lists/partial', 'cache/archives/partial'])
    await mkdir(join(root, dir), { recursive: true });
  const found = await readdir('/etc/apt/sources.list.d').catch(() => []);
  for (const name of found.filter((each) => each.endsWith('.sources'))) {
    const text = await readFile(join('/etc/apt/sources.list.d', name), 'utf8');
    await writeFile(join(root, 'etc', name), text.replace(/^Types:.*$/gm, 'Types: deb-src'));
  }
  const list = await readFile('/etc/apt/sources.list', 'utf8').catch(() => '');
  await writeFile(join(root, 'etc/host.list'), list.replace(/^deb /gm, 'deb-src '));
  return [
    ...['-o', 'Dir::Etc::SourceList=/dev/null', '-o', `Dir::Etc::SourceParts=${root}/etc`],
    ...['-o', `Dir::State::Lists=${root}/lists`, '-o', `Dir::Cache=${root}/cache`],
  ];
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? 'no reason given';
}
