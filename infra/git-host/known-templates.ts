import { existsSync } from 'node:fs';
import { createGit } from '../../activities/git/cache.ts';
import { repositoryPath } from '../../activities/git/names.ts';
import { createLayouts } from '../../activities/layout/layouts.ts';
import type { Config } from '../config/load.ts';
import { dataPaths } from '../stack/paths.ts';

/**
 * The project templates that a project may use: the shipped ones, and those that the repositories here define, its own
 * among them.
 *
 * @returns sorted; undefined where it cannot be told, as not all repositories are here
 */
export async function knownTemplates(config: Config, project: string): Promise<readonly string[] | undefined> {
  const { git: root } = dataPaths(config.data);
  const repo = (name: string) => repositoryPath(root, name);
  const names = [...new Set([...Object.keys(config.projects), project])];
  if (names.some((name) => !existsSync(repo(name)))) return undefined;
  const layouts = createLayouts({
    tenant: config.tenant,
    projects: () =>
      names.map((name) => ({
        ...{ name, connection: 'git', templates: [] },
        trusted: config['config-projects'].includes(name),
      })),
    git: createGit((name) => ({ kind: 'served', repo: repo(name) })),
    connections: { git: 'git' },
  });
  return [...(await layouts.current()).templates.keys()].sort();
}
