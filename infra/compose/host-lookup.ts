import { join } from 'node:path';
import { createGit, type GitPlace } from '../../activities/git/cache.ts';
import type { MergedState, StateName } from '../../activities/git/merged.ts';
import { repositoryPath } from '../../activities/git/names.ts';
import { openConnection } from '../../activities/review/registry.ts';
import { readSecret } from '../../activities/review/secret.ts';
import { isServed } from '../../activities/review/settings.ts';
import { entryOf } from '../config/projects.ts';
import type { StackConfig } from '../stack/settings.ts';
import { createLiveConfig } from './live-config.ts';

/**
 * Looks branches up at hosts other than Sluice itself, by fetching them into repositories of one's own: nothing that
 * another process has fetched or written is believed.
 *
 * @param scratch directory of these repositories
 * @returns null for a project that Sluice serves itself, or has never heard of
 */
export function lookUpAtHosts(
  config: StackConfig,
  scratch: string,
): (project: string) => ((of: StateName) => Promise<MergedState | null>) | null {
  const connectionOf = findConnections(config);
  const placeOf = (project: string): GitPlace => {
    const connection = connectionOf(project) ?? '';
    const settings = config.connections[connection];
    if (settings === undefined) throw new Error(`${project} is of no connection that this process was started with`);
    const owns = (one: string) => connectionOf(one) === connection;
    const place = { name: connection, repositories: scratch, page: '', owns };
    const { host } = openConnection({ ...place, settings, readSecret, git });
    const repo = repositoryPath(join(scratch, connection), project);
    return { kind: 'fetched', repo, host: connection, remote: host.gitRemote(project) };
  };
  const git = createGit(placeOf);
  return (project) => {
    const settings = config.connections[connectionOf(project) ?? ''];
    return settings === undefined || isServed(settings) ? null : git.readMerged;
  };
}

/** By the file as it is now, where this process may read it; else as it was at the start. */
function findConnections(config: StackConfig): (project: string) => string | undefined {
  const started = (project: string) => entryOf(config.projects, project)?.connection;
  try {
    const live = createLiveConfig(config);
    return (project) => live.project(project)?.connection ?? started(project);
  } catch {
    return started;
  }
}
