import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Lease } from '../../activities/nodes/port.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { withLease } from '../../activities/nodes/with-lease.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { advisories, group, stream } from '../activities/repository/extra-samples.ts';
import { needImages, openArchive, patience, platforms } from './archive.ts';

// By hand, as clients.ts: debug packages with lists of their own, advisories, groups and modules, as each client reads
// them by the files that the server offers. Everything is signed, and no check is switched off.

type Archive = Awaited<ReturnType<typeof openArchive>>;
type Client = Awaited<ReturnType<typeof clientOn>>;

for (const platform of platforms) {
  for (const [name, story] of Object.entries(stories()[platform.format])) {
    test(`${platform.name}: ${name} takes debug packages from lists of their own, and what else there is`, async (t) => {
      await needImages(platform);
      const archive = await openArchive(t, platform, true);
      await withLease(openProvider('docker'), { build: `lists-${name}-${process.pid}` }, async (lease) => {
        const client = await clientOn(lease, platform, archive);
        t.diagnostic(await story(client, archive));
        return {};
      });
    });
  }
}

function stories() {
  return { deb: { apt }, rpm: { dnf, zypper } } as const;
}

async function clientOn(lease: Lease, platform: Platform, { directory }: Archive) {
  const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'open' });
  const run = (...argv: readonly string[]) =>
    machine.exec(argv, {
      signal: AbortSignal.timeout(patience),
      env: { LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
    });
  return {
    run,
    /** What a program says that is to end well. */
    async must(...argv: readonly string[]): Promise<string> {
      const { code, output } = await run(...argv);
      assert.equal(code, 0, `${argv.join(' ')}\n${output}`);
      return output;
    },
    async write(path: string, text: string | null): Promise<void> {
      assert.ok(text, `nothing is offered for ${path}`);
      await mkdir(join(directory, 'put', dirname(path)), { recursive: true });
      await writeFile(join(directory, 'put', path), `${text}\n`);
      await machine.put(join(directory, 'put'), '/');
    },
  };
}

async function apt({ run, must, write }: Client, { publish, offered }: Archive): Promise<string> {
  const both = (version: string) =>
    publish(
      { name: 'alpha', version },
      { name: 'alpha-dbgsym', version, source: 'alpha', requires: [`alpha (= ${version})`] },
    );
  const own = ['-o', 'Dir::Etc::SourceList=/dev/null', '-o', 'Dir::Etc::SourceParts=/etc/sluice'];
  const get = ['apt-get', '--yes', ...own, '-o', 'APT::Update::Error-Mode=any'];
  const installed = () => must('dpkg-query', '--show', 'alpha', 'alpha-dbgsym');
  await both('1-1');
  await write('etc/sluice/archive.sources', await offered('.sources'));
  await must(...get, 'update');
  assert.match((await run(...get, 'install', 'alpha-dbgsym')).output, /Unable to locate package alpha-dbgsym/);
  await write('etc/sluice/archive-debug.sources', await offered('-debug.sources'));
  await must(...get, 'update');
  await must(...get, 'install', 'alpha-dbgsym');
  assert.equal(await installed(), 'alpha\t1-1\nalpha-dbgsym\t1-1\n');
  await both('2-1');
  await must(...get, 'update');
  await must(...get, 'upgrade');
  assert.equal(await installed(), 'alpha\t2-1\nalpha-dbgsym\t2-1\n');
  return (await must('apt-get', '--version')).split('\n')[0] ?? '';
}

/** A package with its debug package, one that is of a module, and what is told about them. */
async function release({ publish, describe }: Archive, version: string): Promise<void> {
  await publish({ name: 'alpha', version }, { name: 'alpha-debuginfo', version, source: 'alpha' });
  if (version === '1') await publish({ name: 'web', version });
  const told = [group('tools', 'alpha'), stream('web', '1', 'web-0:1-1.noarch')];
  await describe(...told, advisories('SLU-1', `alpha ${version} 1`));
}

async function dnf({ run, must, write }: Client, archive: Archive): Promise<string> {
  const options = ['--assumeyes', '--setopt=module_platform_id=platform:x', '--setopt=metadata_expire=0'];
  const tell = (...args: readonly string[]) => must('dnf', ...options, ...args);
  const installed = async (name: string) => (await must('rpm', '--query', '--qf', '%{VERSION}', name)).trim();
  const version = await must('dnf', '--version');
  if (!version.startsWith('dnf5')) {
    // dnf 4 has the command in a package of its own, and with that comes a plugin that keeps what was installed.
    await must('apt-get', '--quiet', '--yes', 'install', 'dnf-plugins-core');
    options.push('--disableplugin=local');
  }
  await release(archive, '1');
  await write('etc/yum.repos.d/ours.repo', await archive.offered('.repo'));
  await tell('install', 'alpha');
  assert.doesNotMatch(await tell('--quiet', 'repoquery', 'alpha-debuginfo'), /alpha-debuginfo/);
  await tell('debuginfo-install', 'alpha');
  assert.equal(await installed('alpha-debuginfo'), '1');
  await release(archive, '2');
  assert.match(await tell('updateinfo', 'list'), /SLU-1 +.*Important.* alpha-2-1\.noarch/);
  const { code, output } = await run('dnf', ...options, 'group', 'list');
  // That of Debian 13 dies of any comps.xml, that of createrepo_c too: libcomps 0.1.21.
  if (version.startsWith('4.23.')) assert.equal(code, 139, output);
  else assert.match(output, /The tools/);
  assert.match(await tell('module', 'list'), /web +1 /);
  assert.doesNotMatch(await tell('list', '--available'), /web\.noarch/, 'a stream that nobody enabled is hidden');
  await tell('module', 'enable', 'web:1');
  await tell('install', 'web');
  await tell('upgrade', '--security');
  assert.deepEqual([await installed('alpha'), await installed('alpha-debuginfo')], ['2', '1']);
  await tell('--enablerepo=ours-debuginfo', 'upgrade');
  assert.equal(await installed('alpha-debuginfo'), '2');
  await rm(join(archive.dir, 'debug/repodata/repomd.xml.asc'));
  const strict = ['--setopt=skip_if_unavailable=0', '--setopt=ours-debuginfo.skip_if_unavailable=0'];
  const unsigned = await run('dnf', ...options, ...strict, '--enablerepo=ours-debuginfo', '--refresh', 'makecache');
  assert.notEqual(unsigned.code, 0, unsigned.output);
  return version.split('\n')[0] ?? '';
}

async function zypper({ run, must, write }: Client, archive: Archive): Promise<string> {
  await must('apt-get', '--quiet', '--yes', '--no-install-recommends', 'install', 'zypper');
  const options = ['--non-interactive', '--gpg-auto-import-keys'];
  const tell = (...args: readonly string[]) => must('zypper', ...options, ...args);
  const installed = async (name: string) => (await must('rpm', '--query', '--qf', '%{VERSION}', name)).trim();
  await release(archive, '1');
  await write('etc/zypp/repos.d/ours.repo', await archive.offered('.repo'));
  await tell('refresh');
  await tell('install', 'alpha');
  assert.notEqual((await run('zypper', ...options, 'install', 'alpha-debuginfo')).code, 0);
  await tell('modifyrepo', '--enable', 'ours-debuginfo');
  await tell('refresh');
  await tell('install', 'alpha-debuginfo');
  assert.equal(await installed('alpha-debuginfo'), '1');
  await release(archive, '2');
  await tell('refresh', '--force');
  assert.match(await tell('list-patches'), /SLU-1 +\| security +\| important/);
  await tell('patch', '--category', 'security');
  assert.equal(await installed('alpha'), '2');
  await tell('update');
  assert.equal(await installed('alpha-debuginfo'), '2');
  console.error(
    (await run('zypper', ...options, 'patterns')).output,
    (await run('zypper', ...options, 'search', 'web')).output,
  );
  return (await must('zypper', '--version')).trim();
}
