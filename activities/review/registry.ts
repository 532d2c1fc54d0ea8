import { createGitHost } from './git/adapter.ts';
import { createPeople } from './git/people.ts';
import type { People } from './people.ts';
import type { ReviewHost, Webhook } from './port.ts';

/** What every driver is given of the installation. */
export interface ConnectionContext {
  /** The connection's name in the configuration. */
  readonly name: string;
  /** Directory of the repositories that Sluice keeps itself. */
  readonly repositories: string;
  /** Where people look at changes. */
  readonly page: string;
  /** Whether a project is of this connection. */
  readonly owns: (project: string) => boolean;
}

export interface Connection {
  readonly host: ReviewHost;
  /** What people do there through Sluice; null where they do it at the review system itself. */
  readonly people: People | null;
  /** Null for a host that posts nothing. */
  readonly webhook: Webhook | null;
}

const drivers: Readonly<Record<string, (context: ConnectionContext) => Connection>> = {
  git({ name, repositories, page, owns }) {
    const settings = { root: repositories, connection: name, page, owns };
    return { host: createGitHost(settings), people: createPeople(settings), webhook: null };
  },
};

/** Opens a connection by its driver. @throws an error that names the drivers for one that there is not. */
export function openConnection(driver: string, context: ConnectionContext): Connection {
  const open = Object.hasOwn(drivers, driver) ? drivers[driver] : undefined;
  if (open !== undefined) return open(context);
  const known = Object.keys(drivers).join(', ');
  throw new Error(`connection ${context.name}: there is no driver ${JSON.stringify(driver)}; there are: ${known}`);
}
