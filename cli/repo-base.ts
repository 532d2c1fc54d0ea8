import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporary } from '../activities/process/temporary.ts';
import type { RepositoryFormat } from '../activities/repository/port.ts';
import { readConfiguration } from './configuration.ts';
import { misused } from './fault.ts';
import { orRefused, shownTree } from './repository.ts';

export interface BasesRequest {
  /** Directories, URLs, lines of a sources.list, names of platforms. */
  readonly names: readonly string[];
  readonly format: RepositoryFormat;
  /** The repository whose packages take their dependencies from there. */
  readonly tree: string;
  readonly config?: string | undefined;
}

/** Gives `work` a tree for each of the repositories that are named: of those elsewhere, what their lists say. */
export async function withBases<T>(request: BasesRequest, work: (trees: readonly string[]) => Promise<T>): Promise<T> {
  const directory = await makeTemporary('sluice-base');
  try {
    const trees: string[] = [];
    for (const name of request.names) {
      const below = join(directory, String(trees.length));
      await mkdir(below);
      trees.push(await treeOf(name, request, below));
    }
    return await work(trees);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function treeOf(name: string, request: BasesRequest, below: string): Promise<string> {
  if (existsSync(name)) return shownTree(name);
  const { format, tree } = request;
  const source = /^(?:deb\s|[a-z][a-z0-9+]*:\/)/.test(name) ? [name.trim()] : await archiveOf(name, request);
  const { codename } = await format.settings(tree);
  const listed = (await format.list(tree)).map(({ arch }) => arch);
  const architectures = [...new Set(listed)].filter(
    (arch) => !['all', 'noarch', 'source', 'src', 'nosrc'].includes(arch),
  );
  return orRefused(format.fetchBase({ source, architectures, suite: codename }, below));
}

/** The archive that a platform's own packages come from, as this machine reaches it. */
async function archiveOf(name: string, { format, config }: BasesRequest): Promise<readonly string[]> {
  const { allPlatforms } = await import('../infra/config/platforms.ts');
  const platforms = allPlatforms(readConfiguration({ file: config }));
  const found = platforms.find((platform) => platform.name === name);
  const forms = 'a directory, a URL, a line "deb URL SUITE COMPONENT…", or a platform';
  if (found === undefined)
    throw misused(`--with: ${name} is none of ${forms} (${platforms.map((one) => one.name).join(', ')})`);
  if (found.format !== format.id) throw misused(`--with: ${name} is a platform of ${found.format}, not ${format.id}`);
  if (found.format !== 'deb')
    throw misused(
      `--with: where ${name} has its packages from stands in its image alone: give the URL of its repository`,
    );
  const { readAptSettings } = await import('../infra/images/apt-settings.ts');
  const { sources } = await readAptSettings(found.codename);
  if (sources.length > 0) return sources;
  throw misused(
    `--with: APT knows no archive of ${found.codename} here: give a line "deb URL ${found.codename} COMPONENT…"`,
  );
}
