import { join } from 'node:path';
import { createGit, type GitPlace } from '../../activities/git/cache.ts';
import type { MergedState, StateName } from '../../activities/git/merged.ts';
import { repositoryPath } from '../../activities/git/names.ts';
import type { BranchName, ReviewHost } from '../../activities/review/port.ts';
import { openConnection } from '../../activities/review/registry.ts';
import { readSecret } from '../../activities/review/secret.ts';
import { type ConnectionSettings, isServed, proposalsOf } from '../../activities/review/settings.ts';
import { createLiveConfig } from '../common/live-config.ts';
import { entryOf } from '../config/projects.ts';
import type { StackConfig } from '../stack/settings.ts';
import { isMergeBranch } from './merge-branches.ts';

/** What a project's changes are merged into, by one who believes nobody. */
export interface HostLookup {
  /** How branches are looked up; null for a project that Sluice serves itself, or has never heard of. */
  readonly elsewhere: (project: string) => ((of: StateName) => Promise<MergedState | null>) | null;
  /** Whether a branch says what is merged, by the configuration and by its host. */
  readonly isGated: (of: BranchName) => Promise<boolean>;
}

/**
 * Looks branches up at hosts other than Sluice itself, by fetching them into repositories of one's own: nothing that
 * another process has fetched or written is believed.
 *
 * @param scratch directory of these repositories
 */
export function lookUpAtHosts(config: StackConfig, scratch: string): HostLookup {
  const projects = readProjects(config);
  const connectionOf = (project: string) => entryOf(projects(project), project)?.connection;
  const hosts = new Map<string, ReviewHost>();
  const hostOf = (connection: string, settings: ConnectionSettings) => {
    const known = hosts.get(connection);
    if (known !== undefined) return known;
    const owns = (one: string) => connectionOf(one) === connection;
    const about = { name: connection, repositories: scratch, page: '', owns };
    const { host } = openConnection({ ...about, settings, readSecret, git });
    hosts.set(connection, host);
    return host;
  };
  /** Undefined for a stranger: of one that has moved to another host meanwhile, what this one has says nothing any more. */
  const settingsOf = (project: string) => {
    const connection = connectionOf(project);
    if (connection === undefined) return undefined;
    const settings = config.connections[connection];
    if (settings !== undefined) return settings;
    throw new Error(
      `${project} is of the connection ${connection}, which this process was not started with: restart it`,
    );
  };
  const placeOf = (project: string): GitPlace => {
    const connection = connectionOf(project) ?? '';
    const settings = settingsOf(project);
    if (settings === undefined) throw new Error(`${project} is of no connection that this process was started with`);
    const host = hostOf(connection, settings);
    const repo = repositoryPath(join(scratch, connection), project);
    const proposals = proposalsOf(settings);
    const place = { kind: 'fetched', repo, host: connection, remote: host.gitRemote(project) } as const;
    return proposals === undefined ? place : { ...place, proposals };
  };
  const git = createGit(placeOf);
  return {
    elsewhere(project) {
      const settings = settingsOf(project);
      return settings === undefined || isServed(settings) ? null : git.readMerged;
    },
    async isGated(of) {
      const settings = settingsOf(of.project);
      const served = settings === undefined || isServed(settings);
      return isMergeBranch(projects, of, served ? null : hostOf(connectionOf(of.project) ?? '', settings));
    },
  };
}

/** What is said of projects in the file as it is now, where this process may read it; else as it was at the start. */
function readProjects(config: StackConfig): (project: string) => StackConfig['projects'] {
  try {
    const live = createLiveConfig(config);
    return (project) => (live.project(project) === undefined ? config : live.settings()).projects;
  } catch {
    return () => config.projects;
  }
}
