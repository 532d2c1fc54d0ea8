import type { HostSettings } from '../../activities/review/git/client.ts';
import type { Config } from '../config/load.ts';
import { readHolder } from '../stack/lock.ts';
import { dataPaths } from '../stack/paths.ts';

/** The built-in host of a configuration, for `createGitHost` and `createPeople`. */
export function gitHostSettings(config: Config, connection = 'git'): HostSettings {
  return { root: dataPaths(config.data).git, connection, page: pageUrl(config) };
}

/** Where people look at changes: as configured, else where the running stack answers; empty without either. */
export function pageUrl({ data, server }: Pick<Config, 'data' | 'server'>): string {
  return server.url ?? readHolder(data)?.stack?.url ?? '';
}
