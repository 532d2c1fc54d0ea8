import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unreadable } from '../../nodes/packages/unreadable.ts';
import { must, run } from '../../process/run.ts';
import { type Base, RepositoryRefusal } from '../port.ts';

/**
 * Reads the lists of an archive by APT itself, with this machine's keys and proxies, into a flat tree without packages.
 *
 * @param work a directory that takes everything; what it has of an earlier time is not brought again
 */
export async function fetchBase({ source, architectures, suite, key }: Base, work: string): Promise<string> {
  const own = (await must('dpkg', ['--print-architecture'])).stdout.trim();
  const wanted = architectures.length > 0 ? architectures : [own];
  const [lists, tree] = [join(work, 'lists'), join(work, 'tree')];
  for (const path of [join(lists, 'partial'), join(work, 'cache', 'archives', 'partial'), tree])
    await mkdir(path, { recursive: true });
  const keyring = join(work, 'key.asc');
  if (key !== undefined) await writeFile(keyring, key);
  const trust = key === undefined ? 'trusted=yes' : `signed-by=${keyring}`;
  const lines = source.map((line) => (line.startsWith('deb ') ? line : `deb [${trust}] ${line} ${suite} main`));
  const file = join(work, 'sources.list');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  const { code, stdout, stderr } = await run('apt-get', ['--quiet', ...settings(work, wanted), 'update']);
  if (code !== 0) {
    const why = unreadable(`${stdout}${stderr}`, []);
    const hint = lines.length === source.filter((line) => line.startsWith('deb ')).length ? '' : wholeLine;
    throw new RepositoryRefusal(`${source.join(', ')} cannot be read: ${why}${hint}`);
  }
  const found = (await readdir(lists)).filter((name) => name.endsWith('Packages'));
  const texts = await Promise.all(found.map((name) => readFile(join(lists, name), 'utf8')));
  await writeFile(join(tree, 'Packages'), texts.map((text) => `${text.trim()}\n`).join('\n'));
  return tree;
}

const wholeLine = '; its distribution may have another name: give the whole line, "deb URL SUITE COMPONENT…"';

function settings(work: string, architectures: readonly string[]): string[] {
  const given = {
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Architecture': architectures[0] ?? '',
    'APT::Architectures': architectures.join(','),
    'APT::Update::Error-Mode': 'any',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::GzipIndexes': 'false',
    'Acquire::Retries': '2',
    'Debug::NoLocking': 'true',
  };
  return Object.entries(given).flatMap(([key, value]) => ['--option', `${key}=${value}`]);
}
