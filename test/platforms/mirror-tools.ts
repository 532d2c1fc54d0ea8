import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must, run } from '../../activities/process/run.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import { publishPackages } from '../../activities/repository/publish.ts';
import { openArchiveKeys } from '../../activities/sign/archive-keys.ts';
import { createArchiveSigner } from '../../activities/sign/gpg.ts';
import { closeAgent } from '../../activities/sign/key.ts';
import { makePackage, temporary } from '../activities/repository/packages.ts';

// By hand, as clients.ts: rows of docs/clients.md. Wants root, and aptly, reprepro, apt-mirror, debmirror and zypper.

/** At the usual port: apt-mirror 0.5.4 takes no other. */
const address = '127.0.0.71';

/** A signed repository of a package in two versions, one after the other, as a web server shows it. */
async function openArchive(t: TestContext, format: 'deb' | 'rpm') {
  const work = await temporary(t);
  const home = join(work, 'keys');
  t.after(() => closeAgent(home));
  const { keys } = await openArchiveKeys(home, { sign: [], former: [] });
  const dir = join(work, 'repository');
  const settings = format === 'deb' ? { codename: 'stable' } : {};
  const publish = async (version: string) => {
    const files = [await makePackage(format, work, { name: 'tool', version })];
    const request = { dir, files, settings, date: new Date(), signer: createArchiveSigner(keys) };
    await publishPackages(repositoryFormats[format], request);
  };
  await publish('1-1');
  const server = spawn('python3', ['-u', '-m', 'http.server', '--directory', work, '--bind', address, '80'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => server.kill());
  await once(server.stdout, 'data');
  const publicKey = join(dir, 'archive-key.asc');
  const ring = join(work, 'ring.gpg');
  await must('gpg', ['--homedir', home, '--batch', '--export', '--output', ring]);
  return { work, publicKey, ring, home, url: `http://${address}/repository`, publish };
}

type Archive = Awaited<ReturnType<typeof openArchive>>;

/** What an APT that knows one source alone finds of the package. */
async function versionsBy(root: string, source: string): Promise<string> {
  for (const directory of ['etc/apt/preferences.d', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial']) {
    await mkdir(join(root, directory), { recursive: true });
  }
  await writeFile(join(root, 'status'), '');
  await writeFile(join(root, 'etc/apt/sources.list'), `${source}\n`);
  const settings = [`Dir=${root}`, `Dir::State::status=${root}/status`, 'APT::Update::Error-Mode=any'];
  const options = [...settings, 'APT::Sandbox::User=root', 'APT::Architecture=amd64'].flatMap((one) => ['-o', one]);
  await must('apt-get', [...options, 'update']);
  await must('apt-get', [...options, '--yes', '--download-only', 'install', 'tool']);
  return (await must('apt-cache', [...options, 'policy', 'tool'])).stdout;
}

/** How each tool makes its first mirror and the next, and the source that a client then has. */
const tools: Readonly<Record<string, (archive: Archive, nth: number) => Promise<string>>> = {
  async 'apt-mirror'({ work, url, publicKey }) {
    const base = join(work, 'apt-mirror');
    for (const name of ['mirror', 'skel', 'var']) await mkdir(join(base, name), { recursive: true });
    const list = [`set base_path ${base}`, 'set defaultarch amd64', 'set run_postmirror 0', 'set _tilde 0'];
    await writeFile(join(base, 'list'), [...list, `deb ${url} stable main`, ''].join('\n'));
    await must('apt-mirror', [join(base, 'list')]);
    return `deb [arch=amd64 signed-by=${publicKey}] file:${base}/mirror/${address}/repository stable main`;
  },
  async debmirror({ work, ring, publicKey }) {
    const from = ['--method=http', `--host=${address}`, '--root=repository', `--keyring=${ring}`];
    const what = ['--dist=stable', '--section=main', '--arch=amd64', '--nosource'];
    await must('debmirror', [...from, ...what, join(work, 'debmirror')]);
    return `deb [arch=amd64 signed-by=${publicKey}] file:${work}/debmirror stable main`;
  },
  async aptly({ work, url, ring }, nth) {
    const config = join(work, 'aptly.json');
    await writeFile(config, JSON.stringify({ rootDir: join(work, 'aptly'), gpgProvider: 'gpg' }));
    const aptly = (...args: readonly string[]) => must('aptly', [`-config=${config}`, '-architectures=amd64', ...args]);
    if (nth === 0) await aptly('mirror', 'create', `-keyring=${ring}`, 'm', url, 'stable', 'main');
    await aptly('mirror', 'update', `-keyring=${ring}`, 'm');
    await aptly('snapshot', 'create', `s${nth}`, 'from', 'mirror', 'm');
    const how = nth === 0 ? ['snapshot', '-distribution=stable'] : ['switch'];
    await aptly('publish', ...how, '-skip-signing', ...(nth === 0 ? [] : ['stable']), `s${nth}`);
    return `deb [arch=amd64 trusted=yes] file:${work}/aptly/public stable main`;
  },
  async reprepro({ work, url, home }) {
    const [base, env] = [join(work, 'reprepro'), { GNUPGHOME: home }];
    await mkdir(join(base, 'conf'), { recursive: true });
    const { stdout } = await must('gpg', ['--batch', '--with-colons', '--list-keys'], { env });
    const key = /^fpr:+([0-9A-F]+):/m.exec(stdout)?.[1] ?? '';
    const common = ['Components: main', 'Architectures: amd64', ''];
    await writeFile(join(base, 'conf/distributions'), ['Codename: stable', 'Update: u', ...common].join('\n'));
    const update = ['Name: u', `Method: ${url}`, 'Suite: stable', `VerifyRelease: ${key.slice(-16)}`];
    await writeFile(join(base, 'conf/updates'), [...update, ...common].join('\n'));
    await must('reprepro', ['-b', base, 'update'], { env });
    return `deb [arch=amd64 trusted=yes] file:${base} stable main`;
  },
};

for (const [name, mirror] of Object.entries(tools)) {
  test(`${name} mirrors a released repository, and what is released later`, async (t) => {
    const archive = await openArchive(t, 'deb');
    for (const [nth, version] of ['1-1', '2-1'].entries()) {
      if (nth > 0) await archive.publish(version);
      const found = await versionsBy(join(archive.work, `apt-${nth}`), await mirror(archive, nth));
      assert.match(found, new RegExp(`Candidate: ${version}$`, 'm'));
    }
  });
}

test('zypper installs from a released repository, and what is released later', async (t) => {
  const archive = await openArchive(t, 'rpm');
  const root = join(archive.work, 'root');
  await mkdir(join(root, 'etc/zypp/repos.d'), { recursive: true });
  const checks = ['gpgcheck=1', 'repo_gpgcheck=1', 'pkg_gpgcheck=1', `gpgkey=${archive.url}/archive-key.asc`];
  const repo = ['[sluice]', 'name=sluice', 'enabled=1', `baseurl=${archive.url}`, ...checks, ''];
  await writeFile(join(root, 'etc/zypp/repos.d/sluice.repo'), repo.join('\n'));
  const zypper = (...args: readonly string[]) =>
    run('zypper', ['--root', root, '--non-interactive', '--gpg-auto-import-keys', ...args]);
  for (const version of ['1-1', '2-1']) {
    if (version !== '1-1') await archive.publish(version);
    assert.equal((await zypper('refresh', '--force')).code, 0);
    const { code, stdout, stderr } = await zypper('install', `tool=${version}`);
    assert.equal(code, 0, stdout + stderr);
    assert.equal((await must('rpm', ['--root', root, '-q', 'tool'])).stdout.trim(), `tool-${version}.noarch`);
  }
});
