import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { debugComponent, parseRelease, type Release } from '../../pipelines/formats/deb/release.ts';

/** Whether a released repository has lists of their own for debug packages. @param directory the repository's */
export function separatesDebug(directory: string): boolean {
  if (existsSync(join(directory, 'debug/repodata/repomd.xml'))) return true;
  return releaseOf(directory)?.components.includes(debugComponent) ?? false;
}

/** Whether an APT repository has source packages: its list of them is there in any case. @param directory the repository's */
export function holdsSources(directory: string): boolean {
  return releaseOf(directory)?.files.some(({ path, size }) => path === 'main/source/Sources' && size > 0) ?? false;
}

function releaseOf(directory: string): Release | null {
  const dists = join(directory, 'dists');
  const [codename = ''] = existsSync(dists) ? readdirSync(dists) : [];
  const release = join(dists, codename, 'Release');
  return existsSync(release) ? parseRelease(readFileSync(release, 'utf8')) : null;
}
