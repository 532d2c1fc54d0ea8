import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { must, run } from '../../../activities/process/run.ts';

/** Where other versions are kept between runs. */
const kept = resolve(import.meta.dirname, '../../../.tools/rsync');

/** An rsync by its package's version. */
export interface OtherRsync {
  readonly version: string;
  readonly program: string;
}

/**
 * Every rsync that APT offers here besides the installed one, unpacked: on Debian 12 it is 3.2.7 of the main archive
 * beside 3.5.0 of the security archive. Empty where APT offers no other.
 *
 * @throws Error with APT's own words when one that it offers cannot be fetched.
 */
export async function otherRsyncs(): Promise<OtherRsync[]> {
  const offered = await run('apt-cache', ['madison', 'rsync']).catch(() => null);
  if (offered === null || offered.code !== 0) return [];
  const installed = (await run('dpkg-query', ['--show', 'rsync'])).stdout.trim().split(/\s+/)[1];
  const versions = offered.stdout.split('\n').flatMap((line) => {
    const [, version = '', where = ''] = line.split('|').map((part) => part.trim());
    return version !== '' && version !== installed && where.endsWith('Packages') ? [version] : [];
  });
  const found: OtherRsync[] = [];
  for (const version of new Set(versions)) found.push({ version, program: await unpacked(version) });
  return found;
}

async function unpacked(version: string): Promise<string> {
  const place = join(kept, version);
  const program = join(place, 'usr/bin/rsync');
  if ((await run(program, ['--version']).catch(() => null))?.code === 0) return program;
  const work = await mkdtemp(join(tmpdir(), 'sluice-rsync-'));
  try {
    await must('apt-get', ['download', '--quiet', `rsync=${version}`], { cwd: work });
    const [deb = ''] = await readdir(work);
    await must('dpkg-deb', ['--extract', join(work, deb), join(work, 'tree')]);
    await mkdir(kept, { recursive: true });
    await rm(place, { recursive: true, force: true });
    await must('cp', ['--archive', join(work, 'tree'), `${place}.new`]);
    await rename(`${place}.new`, place);
    return program;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
