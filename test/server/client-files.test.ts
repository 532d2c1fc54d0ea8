import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import Fastify from 'fastify';
import { must } from '../../activities/process/run.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import { publishPackages } from '../../activities/repository/publish.ts';
import { createGpgSigner } from '../../activities/sign/gpg.ts';
import { closeAgent, openKey } from '../../activities/sign/key.ts';
import { registerRepositories } from '../../server/files/repositories.ts';
import { makePackage, temporary } from '../activities/repository/packages.ts';

test('clients take the files of released repositories as they are, with all signatures checked', async (t) => {
  const work = await temporary(t);
  const home = join(work, 'keys');
  const signer = createGpgSigner({ home, key: await openKey(home, 'Archive <archive@example.org>') });
  t.after(() => closeAgent(home));
  const paths = { repositories: join(work, 'repositories'), released: join(work, 'released') };
  for (const path of Object.values(paths)) await mkdir(path);
  for (const id of ['deb', 'rpm'] as const) {
    const files = [await makePackage(id, work, { name: 'alpha', version: '1.0-1' })];
    const settings = { codename: id === 'deb' ? 'bookworm' : '' };
    const dir = join(paths.released, id);
    await publishPackages(repositoryFormats[id], { dir, files, settings, signer, date: new Date() });
  }
  const app = Fastify();
  t.after(() => app.close());
  const released = { open: async () => null } as never;
  // Clients reach the directory itself here: what they are told is an address below the server's.
  await registerRepositories(app, { paths: paths as never, released, url: `file://${work}`, rpmName: 'ours' });
  const get = async (name: string) => app.inject(`/released/${name}`);

  const sources = await get('deb.sources');
  assert.deepEqual([sources.statusCode, sources.headers['content-type']], [200, 'text/plain; charset=utf-8']);
  assert.match(
    sources.body,
    /^Types: deb\nURIs: file:\/\/\S+\/released\/deb\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN/,
  );
  assert.match(await askApt(join(work, 'apt'), sources.body), /^alpha \| 1\.0-1 \|/m);

  const keyless = sources.body.replace(/Signed-By:.*/s, '');
  await assert.rejects(askApt(join(work, 'keyless'), keyless), /NO_PUBKEY|not signed/);

  const repo = await get('rpm.repo');
  assert.match(
    repo.body,
    /^\[ours\]\nname=ours\nbaseurl=file:\S+\/released\/rpm\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n/,
  );
  assert.match(await askDnf(join(work, 'dnf'), repo.body), /^alpha-0:1\.0-1\.noarch$/m);

  for (const other of ['deb.repo', 'rpm.sources', 'none.repo', '.released.repo']) {
    assert.equal((await get(other)).statusCode, 404, other);
  }
  assert.equal((await get('rpm/repodata/repomd.xml')).statusCode, 200);
  assert.match((await get('deb/')).body, /<a href="\/released\/deb\.sources">/);
});

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
async function askDnf(work: string, repo: string): Promise<string> {
  await mkdir(join(work, 'repos'), { recursive: true });
  await writeFile(join(work, 'repos/sluice.repo'), repo);
  const places = { reposdir: join(work, 'repos'), cachedir: join(work, 'cache'), logdir: work, persistdir: work };
  const options = Object.entries(places).map(([key, value]) => `--setopt=${key}=${value}`);
  const root = ['--installroot', join(work, 'root'), '--releasever', '12'];
  return (await must('dnf', ['--assumeyes', '--quiet', ...options, ...root, 'repoquery', 'alpha'])).stdout;
}
