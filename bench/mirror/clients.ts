import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../activities/process/run.ts';

/** A package manager with a system of its own, for one round of looking at a repository and installing from it. */
export type Client = () => Promise<void>;

async function must(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, [...args]);
  assert.equal(code, 0, `${program} ${args.at(-1)}: ${stdout}${stderr}`);
  assert.doesNotMatch(stderr, /^([WE]:|Error:)/m);
  return stdout;
}

/** `apt-get update`, and the installation or upgrade of `stays`. */
export async function aptOf(root: string, url: string): Promise<Client> {
  const directories = [
    'etc/apt/preferences.d',
    'var/lib/apt/lists/partial',
    'var/cache/apt/archives/partial',
    'var/lib/dpkg/info',
    'var/lib/dpkg/updates',
    'var/log/apt',
  ];
  for (const directory of directories) await mkdir(join(root, directory), { recursive: true });
  await writeFile(join(root, 'var/lib/dpkg/status'), '');
  await writeFile(join(root, 'var/lib/dpkg/available'), '');
  await writeFile(join(root, 'etc/apt/sources.list'), `deb [trusted=yes arch=amd64] ${url} bookworm main\n`);
  const settings = [
    `Dir=${root}`,
    `Dir::State::status=${root}/var/lib/dpkg/status`,
    'APT::Update::Error-Mode=any',
    'APT::Sandbox::User=root',
    'APT::Architecture=amd64',
    `DPkg::Options::=--root=${root}`,
    'DPkg::Use-Pty=false',
  ];
  const options = settings.flatMap((one) => ['-o', one]);
  return async () => {
    await must('apt-get', [...options, 'update']);
    await must('apt-get', [...options, '--yes', '--quiet', 'install', 'stays']);
    const found = await must('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '--show', 'stays']);
    assert.match(found, /^stays\t\d/);
  };
}

/** `dnf makecache`, and the installation or upgrade of `stays`. */
export async function dnfOf(root: string, url: string): Promise<Client> {
  for (const directory of ['repos', 'log', 'cache', 'system/var/log'])
    await mkdir(join(root, directory), { recursive: true });
  const repo = [
    '[bench]',
    'name=bench',
    `baseurl=${url}`,
    'gpgcheck=0',
    'repo_gpgcheck=0',
    'skip_if_unavailable=0',
    '',
  ];
  await writeFile(join(root, 'repos/bench.repo'), repo.join('\n'));
  const settings = [`cachedir=${root}/cache`, `logdir=${root}/log`, `reposdir=${root}/repos`, 'plugins=0'];
  const options = ['--quiet', '--assumeyes', `--installroot=${root}/system`, '--releasever=1'];
  const given = [...options, ...settings.map((one) => `--setopt=${one}`)];
  return async () => {
    await must('dnf', [...given, 'makecache', '--refresh']);
    await must('dnf', [...given, 'install', 'stays']);
    await must('dnf', [...given, 'upgrade', 'stays']);
    assert.match(await must('rpm', [`--root=${root}/system`, '--query', 'stays']), /^stays-\d/);
  };
}
