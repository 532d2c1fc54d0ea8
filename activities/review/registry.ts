import type { Connection, ConnectionContext } from './connection.ts';
import { openGerrit } from './gerrit/adapter.ts';
import { createGitHost } from './git/adapter.ts';
import { createPeople } from './git/people.ts';
import { openGitea } from './gitea/adapter.ts';
import { openGithub } from './github/adapter.ts';
import { openGitlab } from './gitlab/adapter.ts';
import { openPlain } from './plain/adapter.ts';
import type { ConnectionSettings } from './settings.ts';

export type { Connection, ConnectionContext } from './connection.ts';

const drivers: Readonly<Record<string, (context: ConnectionContext) => Connection>> = {
  git(context) {
    const { name, repositories, page, owns } = context;
    const { url, ...rest } = settingsOf(context, 'git');
    if (url !== undefined) return openPlain({ ...context, settings: { ...rest, url } });
    const settings = { root: repositories, connection: name, page, owns, approve: rest.approve?.label };
    return { host: createGitHost(settings), people: createPeople(settings), webhook: null, stream: null };
  },
  gerrit: (context) => openGerrit({ ...context, settings: settingsOf(context, 'gerrit') }),
  github: (context) => openGithub({ ...context, settings: settingsOf(context, 'github') }),
  gitlab: (context) => openGitlab({ ...context, settings: settingsOf(context, 'gitlab') }),
  gitea: (context) => openGitea({ ...context, settings: settingsOf(context, 'gitea') }),
};

function settingsOf<D extends ConnectionSettings['driver']>({ settings }: ConnectionContext, driver: D) {
  if (settings.driver !== driver) throw new Error(`these are settings of ${settings.driver}, not of ${driver}`);
  return settings as ConnectionSettings & { readonly driver: D };
}

/** Opens a connection by its driver. @throws an error that names the drivers for one that there is not. */
export function openConnection(context: ConnectionContext): Connection {
  const { driver } = context.settings;
  const open = Object.hasOwn(drivers, driver) ? drivers[driver] : undefined;
  if (open !== undefined) return open(context);
  const known = Object.keys(drivers).join(', ');
  throw new Error(`connection ${context.name}: there is no driver ${JSON.stringify(driver)}; there are: ${known}`);
}
