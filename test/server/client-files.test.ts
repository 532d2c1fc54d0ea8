import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import Fastify from 'fastify';
import { must } from '../../activities/process/run.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import { publishPackages } from '../../activities/repository/publish.ts';
import { createGpgSigner } from '../../activities/sign/gpg.ts';
import { closeAgent, openKey } from '../../activities/sign/key.ts';
import { ensureImages } from '../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import { registerRepositories } from '../../server/files/repositories.ts';
import { makePackage, makeSource, type Sample, temporary } from '../activities/repository/packages.ts';

/** Released repositories of both formats and how they are offered, with packages besides a program's; else with a source. */
async function archive(t: TestContext, others: Readonly<Record<'deb' | 'rpm', readonly Sample[]>>) {
  const work = await temporary(t);
  const home = join(work, 'keys');
  const signer = createGpgSigner({ home, key: await openKey(home, 'Archive <archive@example.org>') });
  t.after(() => closeAgent(home));
  const paths = { repositories: join(work, 'repositories'), released: join(work, 'released') };
  for (const path of Object.values(paths)) await mkdir(path);
  for (const id of ['deb', 'rpm'] as const) {
    const samples = [{ name: 'alpha', version: '1.0-1' }, ...others[id]];
    const files = await Promise.all(samples.map((sample) => makePackage(id, work, sample)));
    if (id === 'deb' && others.deb.length === 0) files.push(await makeSource(join(work, 'source'), '1', 'as it was'));
    const settings = { codename: id === 'deb' ? 'bookworm' : '', debug: others[id].length > 0 };
    const dir = join(paths.released, id);
    await publishPackages(repositoryFormats[id], { dir, files, settings, signer, date: new Date() });
  }
  const app = Fastify();
  t.after(() => app.close());
  const released = { open: async () => null } as never;
  // Clients reach the directory itself here: what they are told is an address below the server's.
  await registerRepositories(app, { paths: paths as never, released, url: `file://${work}`, rpmName: 'ours' });
  return { work, get: async (name: string) => app.inject(`/released/${name}`) };
}

test('clients take the files of released repositories as they are, with all signatures checked', async (t) => {
  const { work, get } = await archive(t, { deb: [], rpm: [] });
  const sources = await get('deb.sources');
  assert.deepEqual([sources.statusCode, sources.headers['content-type']], [200, 'text/plain; charset=utf-8']);
  assert.match(
    sources.body,
    /^Types: deb deb-src\nURIs: file:\/\/\S+\/released\/deb\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN/,
  );
  assert.match(await askApt(join(work, 'apt'), sources.body), /^alpha \| 1\.0-1 \|/m);

  const apt = await aptWith(join(work, 'sources'), sources.body);
  assert.match((await apt('--print-uris', 'source', 'foo')).stdout, /^'file:\S+\/foo_1\.0-1\.dsc' foo_1\.0-1\.dsc/m);
  assert.match((await get('deb/')).body, /\ndeb-src \[signed-by=\S+ file:\S+\/released\/deb bookworm main\n?</);

  const keyless = sources.body.replace(/Signed-By:.*/s, '');
  await assert.rejects(askApt(join(work, 'keyless'), keyless), /NO_PUBKEY|not signed/);

  const repo = await get('rpm.repo');
  assert.match(
    repo.body,
    /^\[ours\]\nname=ours\nbaseurl=file:\S+\/released\/rpm\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n/,
  );
  assert.match(await askDnf(join(work, 'dnf'), repo.body), /^alpha-0:1\.0-1\.noarch$/m);

  assert.doesNotMatch(repo.body, /debug/);
  for (const other of ['deb.repo', 'rpm.sources', 'none.repo', '.released.repo', 'deb-debug.sources']) {
    assert.equal((await get(other)).statusCode, 404, other);
  }
  assert.equal((await get('rpm/repodata/repomd.xml')).statusCode, 200);
  assert.match((await get('deb/')).body, /<a href="\/released\/deb\.sources">/);
});

test('debug packages that are apart come to clients that ask for them, with all signatures checked', async (t) => {
  const { work, get } = await archive(t, {
    deb: [{ name: 'alpha-dbgsym', version: '1.0-1', source: 'alpha', requires: ['alpha (= 1.0-1)'] }],
    rpm: [{ name: 'alpha-debuginfo', version: '1.0-1', source: 'alpha' }],
  });
  const [own, debug] = await Promise.all(
    ['deb.sources', 'deb-debug.sources'].map(async (name) => (await get(name)).body),
  );
  assert.match(own ?? '', /^Types: deb$/m, 'no sources are there');
  assert.match(
    debug ?? '',
    /^Types: deb\nURIs: file:\/\/\S+\/released\/deb\nSuites: bookworm\nComponents: debug\nSigned-By:\n/m,
  );
  const usual = await aptWith(join(work, 'usual'), own ?? '');
  await assert.rejects(usual('install', 'alpha-dbgsym'), /Unable to locate package alpha-dbgsym/);
  const both = await aptWith(join(work, 'both'), `${own}\n${debug}`);
  await both('install', 'alpha-dbgsym');
  const installed = (await must('dpkg', [`--root=${join(work, 'both')}`, '--list'])).stdout;
  assert.match(installed, /^ii +alpha +1\.0-1 [\s\S]*^ii +alpha-dbgsym +1\.0-1 /m);
  assert.match((await get('deb/')).body, /bookworm debug\n?<\/pre><p><a href="\/released\/deb-debug\.sources">/);

  const repo = (await get('rpm.repo')).body;
  assert.match(repo, /\n\n\[ours-debuginfo\]\nname=ours - Debug\nbaseurl=\S+\/rpm\/debug\nenabled=0\ngpgcheck=1\n/);
  assert.equal(await askDnf(join(work, 'dnf'), repo, 'alpha-debuginfo'), '');
  await writeFile(join(work, 'ours.repo'), repo);
  const [image] = builtInPlatforms.filter(({ name }) => name === 'rpm-debian-12');
  assert.ok(image);
  await ensureImages([image], () => {});
  const dnf =
    'dnf --assumeyes --quiet --disableplugin=local --setopt=reposdir=$0 --installroot=/root/system --releasever=12';
  const script = `${dnf} install alpha && ${dnf} debuginfo-install alpha && rpm --root /root/system -qa | sort`;
  const run = ['run', '--rm', '--network=none', `--volume=${work}:${work}:ro`, image.buildImage];
  assert.match((await must('docker', [...run, 'sh', '-c', script, work])).stdout, /^alpha-1.*\nalpha-debuginfo-1.*\n/m);
});

/** An APT that knows this file alone, and puts packages into a directory. */
async function aptWith(root: string, sources: string) {
  const [etc, state] = [
    ['sources.list.d', 'preferences.d'],
    ['cache/apt/archives/partial', 'log/apt'],
  ];
  const apart = ['lib/apt/lists/partial', 'lib/dpkg/info', 'lib/dpkg/updates', ...state];
  for (const path of [...etc.map((one) => `etc/apt/${one}`), ...apart.map((one) => `var/${one}`)]) {
    await mkdir(join(root, path), { recursive: true });
  }
  await writeFile(join(root, 'var/lib/dpkg/status'), '');
  await writeFile(join(root, 'etc/apt/sources.list.d/sluice.sources'), sources);
  const given = {
    ...{ Dir: root, 'Dir::State::status': join(root, 'var/lib/dpkg/status'), 'Dpkg::Options::': `--root=${root}` },
    ...{ 'APT::Architecture': 'amd64', 'APT::Sandbox::User': '', 'APT::Update::Error-Mode': 'any' },
    'Debug::NoLocking': 'true',
  };
  const options = Object.entries(given).flatMap(([key, value]) => ['--option', `${key}=${value}`]);
  const apt = (...args: readonly string[]) => must('apt-get', ['--yes', ...options, ...args]);
  await apt('update');
  return apt;
}

/** What APT knows after an update by this file alone. */
async function askApt(work: string, sources: string): Promise<string> {
  for (const path of ['etc/sources.list.d', 'lists/partial', 'cache/archives/partial']) {
    await mkdir(join(work, path), { recursive: true });
  }
  await writeFile(join(work, 'etc/sources.list.d/sluice.sources'), sources);
  const given = {
    'Dir::Etc': join(work, 'etc'),
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(work, 'cache'),
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': '',
    'APT::Update::Error-Mode': 'any',
    'Debug::NoLocking': 'true',
  };
  const options = Object.entries(given).flatMap(([key, value]) => ['--option', `${key}=${value}`]);
  await must('apt-get', [...options, 'update']);
  return (await must('apt-cache', [...options, 'madison', 'alpha'])).stdout
    .replaceAll(/ +/g, ' ')
    .replaceAll(/^ /gm, '');
}

/** What DNF finds by this file alone, with the key that it names. */
async function askDnf(work: string, repo: string, name = 'alpha'): Promise<string> {
  await mkdir(join(work, 'repos'), { recursive: true });
  await writeFile(join(work, 'repos/sluice.repo'), repo);
  const places = { reposdir: join(work, 'repos'), cachedir: join(work, 'cache'), logdir: work, persistdir: work };
  const options = Object.entries(places).map(([key, value]) => `--setopt=${key}=${value}`);
  const root = ['--installroot', join(work, 'root'), '--releasever', '12'];
  return (await must('dnf', ['--assumeyes', '--quiet', ...options, ...root, 'repoquery', name])).stdout;
}
