import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { debugComponent, parseRelease } from '../../pipelines/formats/deb/release.ts';

/** Whether a released repository has lists of their own for debug packages. @param directory the repository's */
export function separatesDebug(directory: string): boolean {
  if (existsSync(join(directory, 'debug/repodata/repomd.xml'))) return true;
  const dists = join(directory, 'dists');
  const [codename = ''] = existsSync(dists) ? readdirSync(dists) : [];
  const release = join(dists, codename, 'Release');
  return existsSync(release) && parseRelease(readFileSync(release, 'utf8')).components.includes(debugComponent);
}
