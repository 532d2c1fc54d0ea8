import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { must } from '../../activities/process/run.ts';

/** One program that keeps a repository of the same packages. */
export interface Peer {
  readonly name: string;
  /** The first publication, of all these files. */
  first(files: readonly string[]): Promise<void>;
  /** One more package, and the index signed. */
  one(file: string): Promise<void>;
}

interface Place {
  readonly work: string;
  /** GnuPG's directory and the fingerprint of its key. */
  readonly gnupg: string;
  readonly key: string;
}

/** Files of one call: command lines are limited. */
const batch = 10_000;

async function inBatches(files: readonly string[], work: (some: readonly string[]) => Promise<unknown>) {
  for (let at = 0; at < files.length; at += batch) await work(files.slice(at, at + batch));
}

/** Sluice by its command line, with the start of its process. */
export function sluice(format: 'deb' | 'rpm', { work, gnupg, key }: Place): Peer & { readonly dir: string } {
  const dir = join(work, `sluice-${format}`);
  const program = join(import.meta.dirname, '../../sluice');
  const codename = format === 'deb' ? ['--codename', 'bench'] : [];
  const publish = (...more: string[]) =>
    must(program, ['repo', 'publish', dir, '--format', format, ...codename, ...more], { env: { GNUPGHOME: gnupg } });
  return {
    dir,
    name: 'sluice',
    first: (files) => inBatches(files, (some) => publish(...some)),
    one: async (file) => void (await publish('--sign', key, file)),
  };
}

/** reprepro, which signs with every change. */
export function reprepro({ work, gnupg, key }: Place): Peer {
  const dir = join(work, 'reprepro');
  const add = (files: readonly string[]) =>
    must('reprepro', ['--silent', '-b', dir, 'includedeb', 'bench', ...files], { env: { GNUPGHOME: gnupg } });
  return {
    name: 'reprepro',
    async first(files) {
      await mkdir(join(dir, 'conf'), { recursive: true });
      const lines = ['Codename: bench', 'Architectures: amd64', 'Components: main', `SignWith: ${key}`, ''];
      await writeFile(join(dir, 'conf/distributions'), lines.join('\n'));
      await inBatches(files, add);
    },
    one: async (file) => void (await add([file])),
  };
}

/** apt-ftparchive with its cache of what it has read. */
export function aptFtparchive({ work, gnupg, key }: Place): Peer {
  const dir = join(work, 'apt-ftparchive');
  const run = async () => {
    const dist = join(dir, 'dists/bench');
    await must('apt-ftparchive', ['generate', join(dir, 'archive.conf')]);
    const { stdout } = await must('apt-ftparchive', [
      '-o',
      'APT::FTPArchive::Release::Codename=bench',
      'release',
      dist,
    ]);
    await writeFile(join(dist, 'Release'), stdout);
    const sign = ['--batch', '--yes', '--armor', '--local-user', key, '--detach-sign'];
    await must('gpg', [...sign, '--output', join(dist, 'Release.gpg'), join(dist, 'Release')], {
      env: { GNUPGHOME: gnupg },
    });
  };
  return {
    name: 'apt-ftparchive',
    async first(files) {
      await mkdir(join(dir, 'dists/bench/main/binary-amd64'), { recursive: true });
      await mkdir(join(dir, 'pool'), { recursive: true });
      const lines = [
        `Dir { ArchiveDir "${dir}"; CacheDir "${dir}"; };`,
        'Default { Packages::Compress ". gzip"; };',
        'BinDirectory "pool" { Packages "dists/bench/main/binary-amd64/Packages"; BinCacheDB "cache.db"; };',
        '',
      ];
      await writeFile(join(dir, 'archive.conf'), lines.join('\n'));
      for (const file of files) await copyFile(file, join(dir, 'pool', basename(file)));
      await run();
    },
    async one(file) {
      await copyFile(file, join(dir, 'pool', basename(file)));
      await run();
    },
  };
}

async function signRepomd(dir: string, { gnupg, key }: Place): Promise<void> {
  const sign = ['--batch', '--yes', '--armor', '--local-user', key, '--detach-sign'];
  await must('gpg', [...sign, join(dir, 'repodata/repomd.xml')], { env: { GNUPGHOME: gnupg } });
}

/** createrepo_c, which reads again only what is new to it. */
export function createrepo(place: Place): Peer {
  const dir = join(place.work, 'createrepo');
  return {
    name: 'createrepo_c',
    async first(files) {
      await mkdir(dir, { recursive: true });
      for (const file of files) await copyFile(file, join(dir, basename(file)));
      await must('createrepo_c', ['--quiet', '--no-database', dir]);
    },
    async one(file) {
      await copyFile(file, join(dir, basename(file)));
      await must('createrepo_c', ['--quiet', '--no-database', '--update', dir]);
      await signRepomd(dir, place);
    },
  };
}

/** mergerepo_c of what createrepo_c made of the first packages and of the new one. */
export function mergerepo(place: Place): Peer {
  const [all, fresh] = [join(place.work, 'createrepo'), join(place.work, 'mergerepo-fresh')];
  const out = join(place.work, 'mergerepo');
  return {
    name: 'mergerepo_c',
    first: async () => {},
    async one(file) {
      for (const path of [fresh, out]) await rm(path, { recursive: true, force: true });
      for (const path of [fresh, out]) await mkdir(path, { recursive: true });
      await copyFile(file, join(fresh, basename(file)));
      await must('createrepo_c', ['--quiet', '--no-database', fresh]);
      await must('mergerepo_c', ['--no-database', '--omit-baseurl', '-r', all, '-r', fresh, '-o', out]);
      await signRepomd(out, place);
    },
  };
}
