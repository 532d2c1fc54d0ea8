import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publicKeyFile } from '../../activities/repository/port.ts';

/** How clients reach a repository. */
interface ClientAccess {
  /** Without a slash at the end. */
  readonly address: string;
  /** Whether the public key is beside the index: then signatures are checked. */
  readonly keyed: boolean;
}

/** A `.repo` file. @param of `id`: the section's name */
export function repoFile({ address, keyed, id }: ClientAccess & { readonly id: string }): string {
  const checks = keyed ? `gpgcheck=1\nrepo_gpgcheck=1\ngpgkey=${address}/${publicKeyFile}` : 'gpgcheck=0';
  return `[${id}]\nname=${id}\nbaseurl=${address}\nenabled=1\n${checks}`;
}

/** A line of a `sources.list`, and before it what brings the key. */
export function sourcesLine({ address, codename, keyed }: ClientAccess & { readonly codename: string }): string {
  const file = '/etc/apt/keyrings/sluice.asc';
  if (!keyed) return `deb [trusted=yes] ${address} ${codename} main`;
  return `curl -o ${file} ${address}/${publicKeyFile}\ndeb [signed-by=${file}] ${address} ${codename} main`;
}

/** A `.sources` file, with the armoured key inside: APT reads that from 2.4 on. */
function sourcesFile(of: { readonly address: string; readonly codename: string; readonly key: string }): string {
  const key = of.key
    .trim()
    .split('\n')
    .map((line) => ` ${line.trim() === '' ? '.' : line}`);
  return ['Types: deb', `URIs: ${of.address}`, `Suites: ${of.codename}`, 'Components: main', 'Signed-By:', ...key].join(
    '\n',
  );
}

/** A directory of released repositories, and where people reach them. */
export interface ClientFiles {
  readonly root: string;
  /** Without a slash at the end. */
  readonly address: string;
  readonly idOf: (repository: string) => string;
}

/**
 * The file that clients of a released repository put among their own: `NAME.sources` of an APT one, `NAME.repo` of an RPM
 * one. Null where there is no such repository, or it is of the other kind or not signed.
 */
export async function clientFile({ root, address, idOf }: ClientFiles, file: string): Promise<string | null> {
  const [, name, kind] = /^([a-z][a-z0-9._-]*)\.(repo|sources)$/.exec(file) ?? [];
  if (name === undefined) return null;
  const key = await readFile(join(root, name, publicKeyFile), 'utf8').catch(() => null);
  if (key === null) return null;
  const at = `${address}/${name}`;
  const inside = await readdir(join(root, name));
  if (kind === 'repo')
    return inside.includes('repodata') ? repoFile({ address: at, keyed: true, id: idOf(name) }) : null;
  const [codename] = inside.includes('dists') ? await readdir(join(root, name, 'dists')) : [];
  return codename === undefined ? null : sourcesFile({ address: at, codename, key });
}
