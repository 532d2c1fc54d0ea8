import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../activities/process/lock.ts';
import { must } from '../../activities/process/run.ts';
import { configure } from './config.ts';
import { startGerrit } from './server.ts';
import { archiveOf, type GerritTools, javaArguments } from './tools.ts';

/** The directory of a site that Gerrit has initialized and nobody has used; made once. */
export async function siteTemplate(tools: GerritTools): Promise<string> {
  const path = join(tools.directory, 'site');
  await withLock(join(tools.directory, 'lock'), 600, async () => {
    if (existsSync(path)) return;
    const work = await mkdtemp(join(tools.directory, '.site-'));
    try {
      await initialize(tools, join(work, 'site'));
      if (!existsSync(archiveOf(tools.directory))) await archiveClasses(tools, work);
      await rename(join(work, 'site'), path);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return path;
}

async function initialize(tools: GerritTools, directory: string): Promise<void> {
  await mkdir(join(directory, 'etc'), { recursive: true });
  await configure(directory, { httpPort: 1, sshPort: 1 });
  const args = ['--batch', '--no-auto-start', '--skip-plugins', '--dev', '-d', directory];
  await must(join(tools.java, 'java'), javaArguments(tools, 'Init', args), { timeout: 180_000 });
  // A copy of a jar that we have.
  await rm(join(directory, 'bin', 'gerrit.war'), { force: true });
}

/** One start whose end writes down the classes that starts load. */
async function archiveClasses(tools: GerritTools, work: string): Promise<void> {
  const directory = join(work, 'first');
  await cp(join(work, 'site'), directory, { recursive: true });
  const site = await configure(directory, {});
  const server = await startGerrit(tools, site, [`-XX:ArchiveClassesAtExit=${archiveOf(tools.directory)}`]);
  await server.stop();
}
