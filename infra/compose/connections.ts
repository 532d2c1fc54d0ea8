import { type Connection, openConnection } from '../../activities/review/registry.ts';
import { readSecret } from '../../activities/review/secret.ts';
import { isServed } from '../../activities/review/settings.ts';
import type { RoutedConnection } from '../../server/events/hosted-changes.ts';
import type { Common } from '../common/common.ts';

/** A connection of the configuration, open. */
export interface OpenedConnection extends Connection, RoutedConnection {}

/** Opens every connection of the configuration: their projects can be fetched from then on. */
export function openConnections(common: Common): readonly OpenedConnection[] {
  return Object.keys(common.config.connections).map((name) => openNamed(common, name));
}

/** @throws where the configuration has no connection by that name, or one that nothing can be made of. */
export function openNamed({ config, paths, live, git, remotes }: Common, name: string): OpenedConnection {
  const settings = config.connections[name];
  if (settings === undefined) throw new Error(`sluice.yaml has no connection ${name}`);
  const owns = (project: string) => live.project(project)?.connection === name;
  const projects = () =>
    live
      .projects()
      .filter(({ connection: of }) => of === name)
      .map((project) => project.name);
  const place = { name, repositories: paths.git, page: config.server.url, owns, projects };
  const connection = openConnection({ ...place, settings, readSecret, git });
  remotes.set(name, (project) => connection.host.gitRemote(project));
  const url = 'url' in settings && settings.url !== undefined ? { url: settings.url } : {};
  return { name, driver: settings.driver, ...url, served: isServed(settings), ...connection };
}
