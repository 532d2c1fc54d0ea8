import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../activities/process/run.ts';
import { configure, type GerritSite, type SiteAddress } from './config.ts';
import { labelsAndRights, type Setting } from './rights.ts';
import { siteTemplate } from './template.ts';
import type { GerritTools } from './tools.ts';

/** Password of the account `admin` over HTTP: the server is for this machine and for trying things out. */
export const adminPassword = 'secret';

export interface SiteOptions extends SiteAddress {
  /** More keys of All-Projects' `project.config`. */
  readonly rights?: readonly Setting[];
}

/** Makes a site in an absent directory, of a template that is made once. Anybody who reaches its port is anybody. */
export async function makeSite(tools: GerritTools, directory: string, options: SiteOptions = {}): Promise<GerritSite> {
  await cp(await siteTemplate(tools), directory, { recursive: true });
  const site = await configure(directory, options);
  await commitRights(directory, [...labelsAndRights, ...(options.rights ?? [])]);
  return site;
}

/** The line of `known_hosts` for a site's key. */
export async function knownHost({ directory, sshPort }: GerritSite): Promise<string> {
  const [type, key] = (await readFile(join(directory, 'etc', 'ssh_host_ed25519_key.pub'), 'utf8')).split(' ');
  return `[127.0.0.1]:${sshPort} ${type} ${key}\n`;
}

/** Straight into the repository, while no server runs: nobody has a right to push it. */
async function commitRights(directory: string, rights: readonly Setting[]): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'sluice-gerrit-'));
  const git = (...args: string[]) => must('git', ['-C', work, ...args]);
  const repository = join(directory, 'git', 'All-Projects.git');
  try {
    await git('init', '--quiet');
    await git('fetch', '--quiet', repository, 'refs/meta/config');
    await git('checkout', '--quiet', 'FETCH_HEAD');
    const single = /\.(function|defaultValue|copyCondition|submittableIf|canOverrideInChildProjects)$/;
    for (const [key, value] of rights) {
      const how = single.test(key) ? [] : ['--add'];
      await git('config', '--file', 'project.config', ...how, key, value);
    }
    const who = ['-c', 'user.name=admin', '-c', 'user.email=admin@example.com'];
    await git(...who, 'commit', '--quiet', '--all', '--message', 'Add labels and rights for a gate');
    await git('push', '--quiet', repository, 'HEAD:refs/meta/config');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
