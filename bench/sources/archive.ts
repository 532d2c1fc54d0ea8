import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must, run } from '../../activities/process/run.ts';
import { readAptSettings } from '../../infra/images/apt-settings.ts';
import type { ListedSource } from './list.ts';

/** A source that cannot be had. */
class NotToBeHad extends Error {
  constructor(reason: string) {
    super(`not to be had: ${reason}`);
  }
}

/** Sources of Debian 12 by this machine's own APT, in directories of its own. */
export interface SourceArchive {
  /** @returns the `.dsc` on this machine, with its files beside it. @throws for one that cannot be had. */
  fetch(source: ListedSource): Promise<string>;
}

/** @param root where indexes and sources are kept; what is there is used again. */
export async function openArchive(root: string): Promise<SourceArchive> {
  const config = await writeSettings(root);
  const apt = { env: { APT_CONFIG: config, DEBIAN_FRONTEND: 'noninteractive' } };
  const sources = join(root, 'sources');
  const indexes = await readdir(join(root, 'lists'));
  if (!indexes.some((name) => name.includes('_Sources'))) await must('apt-get', ['--quiet', 'update'], apt);
  return {
    async fetch(source) {
      const { name, version } = source;
      const place = join(sources, name);
      const there = await descriptionIn(place);
      if (there !== null) return checked(there, source);
      const part = `${place}.part`;
      await rm(part, { recursive: true, force: true });
      await mkdir(part, { recursive: true });
      const argv = ['--quiet', '--only-source', '--download-only', 'source', `${name}=${version}`];
      const { code, stderr } = await run('apt-get', argv, { ...apt, cwd: part });
      if (code !== 0) throw new NotToBeHad(reason(stderr));
      await rename(part, place);
      const got = await descriptionIn(place);
      if (got === null) throw new NotToBeHad('APT fetched no .dsc');
      return checked(got, source);
    },
  };
}

async function descriptionIn(place: string): Promise<string | null> {
  const names = await readdir(place).catch(() => []);
  const found = names.find((name) => name.endsWith('.dsc'));
  return found === undefined ? null : join(place, found);
}

async function checked(path: string, { sha256 }: ListedSource): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  if (digest !== sha256) throw new NotToBeHad(`its .dsc has the digest ${digest}, the list ${sha256}`);
  return path;
}

/** The last thing that APT said, without the archive's address. */
function reason(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const first = lines.find((line) => line.startsWith('E:')) ?? lines.pop() ?? '';
  return first.replace(/^E: /, '').replace(/https?:\/\/\S*\//, '');
}

/** The archive is the one that this machine's APT knows; its sources may be left out there. */
async function writeSettings(root: string): Promise<string> {
  const { sources } = await readAptSettings('bookworm');
  for (const folder of ['lists/partial', 'cache/archives/partial', 'sources']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const list = join(root, 'sources.list');
  await writeFile(list, sources.map((line) => `${line.replace(/^deb /, 'deb-src ')}\n`).join(''));
  const settings = {
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(root, 'lists'),
    'Dir::Cache': join(root, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const config = join(root, 'apt.conf');
  await writeFile(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key} ${JSON.stringify(value)};\n`)
      .join(''),
  );
  return config;
}
