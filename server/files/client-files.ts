import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publicKeyFile } from '../../activities/repository/port.ts';
import { debugComponent } from '../../pipelines/formats/deb/release.ts';
import { holdsSources, separatesDebug } from './lists.ts';

/** How clients reach a repository. */
interface ClientAccess {
  /** Without a slash at the end. */
  readonly address: string;
  /** Whether the public key is beside the index: then signatures are checked. */
  readonly keyed: boolean;
}

/**
 * A `.repo` file, and in it debug packages that are apart: switched off, and called as `dnf debuginfo-install` looks for
 * them.
 *
 * @param of `id`: the section's name
 */
export function repoFile(of: ClientAccess & { readonly id: string; readonly debug: boolean }): string {
  const { address, keyed, id, debug } = of;
  const checks = keyed ? `gpgcheck=1\nrepo_gpgcheck=1\ngpgkey=${address}/${publicKeyFile}` : 'gpgcheck=0';
  const own = `[${id}]\nname=${id}\nbaseurl=${address}\nenabled=1\n${checks}`;
  if (!debug) return own;
  return `${own}\n\n[${id}-debuginfo]\nname=${id} - Debug\nbaseurl=${address}/debug\nenabled=0\n${checks}`;
}

/**
 * Lines of a `sources.list`, and before them what brings the key.
 *
 * @param of `sources`: whether there are source packages
 */
export function sourcesLines(
  of: ClientAccess & { readonly codename: string; readonly sources: boolean },
  component = 'main',
): string {
  const { address, codename, keyed, sources } = of;
  const file = '/etc/apt/keyrings/sluice.asc';
  const where = `[${keyed ? `signed-by=${file}` : 'trusted=yes'}] ${address} ${codename} ${component}`;
  const lines = typesOf(sources).map((type) => `${type} ${where}`);
  return [...(keyed ? [`curl -o ${file} ${address}/${publicKeyFile}`] : []), ...lines].join('\n');
}

/** What APT reads of a repository: where there are source packages, those too, for `apt source` and `apt build-dep`. */
function typesOf(sources: boolean): readonly string[] {
  return sources ? ['deb', 'deb-src'] : ['deb'];
}

interface Source {
  readonly address: string;
  readonly codename: string;
  readonly component: string;
  readonly sources: boolean;
  readonly key: string;
}

/** A `.sources` file, with the armoured key inside: APT reads that from 2.4 on. */
function sourcesFile({ address, codename, component, sources, ...of }: Source): string {
  const key = of.key
    .trim()
    .split('\n')
    .map((line) => ` ${line.trim() === '' ? '.' : line}`);
  const types = typesOf(sources).join(' ');
  const fields = [`Types: ${types}`, `URIs: ${address}`, `Suites: ${codename}`, `Components: ${component}`];
  return [...fields, 'Signed-By:', ...key].join('\n');
}

/** A directory of released repositories, and where people reach them. */
export interface ClientFiles {
  readonly root: string;
  /** Without a slash at the end. */
  readonly address: string;
  readonly idOf: (repository: string) => string;
}

/**
 * The file that clients of a released repository put among their own: `NAME.sources` of an APT one, `NAME-debug.sources`
 * beside it for debug packages that are apart, `NAME.repo` of an RPM one. Null where there is no such repository, or it
 * is of the other kind or not signed.
 */
export async function clientFile(files: ClientFiles, file: string): Promise<string | null> {
  const [, name, kind] = /^([a-z][a-z0-9._-]*)\.(repo|sources)$/.exec(file) ?? [];
  if (name === undefined) return null;
  if (kind === 'repo') return repoOf(files, name);
  const own = await sourcesOf(files, name, 'main');
  return own ?? (name.endsWith('-debug') ? sourcesOf(files, name.replace(/-debug$/, ''), debugComponent) : null);
}

async function repoOf({ root, address, idOf }: ClientFiles, name: string): Promise<string | null> {
  const directory = join(root, name);
  if ((await keyOf(directory)) === null || !(await readdir(directory)).includes('repodata')) return null;
  return repoFile({ address: `${address}/${name}`, keyed: true, id: idOf(name), debug: separatesDebug(directory) });
}

async function sourcesOf({ root, address }: ClientFiles, name: string, component: string): Promise<string | null> {
  const directory = join(root, name);
  const key = await keyOf(directory);
  const [codename] = key === null ? [] : await readdir(join(directory, 'dists')).catch(() => []);
  if (key === null || codename === undefined) return null;
  if (component === debugComponent && !separatesDebug(directory)) return null;
  const sources = component !== debugComponent && holdsSources(directory);
  return sourcesFile({ address: `${address}/${name}`, codename, component, sources, key });
}

/** The key of a signed repository; null where there is none. */
function keyOf(directory: string): Promise<string | null> {
  return readFile(join(directory, publicKeyFile), 'utf8').catch(() => null);
}
