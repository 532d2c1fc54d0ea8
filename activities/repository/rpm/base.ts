import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unreadable } from '../../nodes/packages/unreadable.ts';
import { run } from '../../process/run.ts';
import { type Base, RepositoryRefusal } from '../port.ts';

/**
 * Reads the lists of repositories by dnf itself into a tree without packages.
 *
 * @param work an empty directory that takes everything
 */
export async function fetchBase({ source, key }: Base, work: string): Promise<string> {
  const url = source[0] ?? '';
  if (source.length !== 1 || url.startsWith('deb '))
    throw new RepositoryRefusal(`${source.join(', ')}: an RPM repository is named by its URL`);
  const keyring = join(work, 'key.asc');
  if (key !== undefined) await writeFile(keyring, key);
  const options = [
    `cachedir=${work}`,
    `logdir=${work}`,
    `persistdir=${work}`,
    'sluice.gpgcheck=0',
    ...(key === undefined ? [] : ['sluice.repo_gpgcheck=1', `sluice.gpgkey=file://${keyring}`]),
    'sluice.skip_if_unavailable=0',
    'reposdir=/dev/null',
  ];
  const args = ['--quiet', '--assumeyes', ...options.map((one) => `--setopt=${one}`), `--repofrompath=sluice,${url}`];
  const { code, stdout, stderr } = await run('dnf', [...args, '--repo=sluice', 'makecache', '--refresh']);
  if (code !== 0) throw new RepositoryRefusal(`${url} cannot be read: ${unreadable(`${stdout}${stderr}`, [])}`);
  const cache = (await readdir(work)).find((name) => /^sluice-[0-9a-f]+$/.test(name));
  if (cache === undefined) throw new Error(`dnf kept no list of ${url}`);
  return join(work, cache);
}
