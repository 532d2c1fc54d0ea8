import type { Git } from '../git/port.ts';
import type { People } from './people.ts';
import type { ReviewHost, Stream, Webhook } from './port.ts';
import type { ConnectionSettings, ReadSecret } from './settings.ts';

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
  /** Names of the projects that the connection has now, for hosts that cannot list them. Absent: none are known. */
  readonly projects?: () => readonly string[];
  readonly settings: ConnectionSettings;
  readonly readSecret: ReadSecret;
  /** The sources of all projects: fetched from `gitRemote`, with the states that were tested. */
  readonly git: Git;
}

export interface Connection {
  readonly host: ReviewHost;
  /** What people do there through Sluice; null where they do it at the review system itself. */
  readonly people: People | null;
  /** Null for a host that posts nothing. */
  readonly webhook: Webhook | null;
  /** Null for a host that is not listened to. */
  readonly stream: Stream | null;
  /** Asks the live host whether all is as Sluice needs it; absent where there is nothing to ask. */
  readonly check?: () => Promise<readonly ConnectionCheck[]>;
}

/** One line of `sluice doctor --connection NAME`. */
export interface ConnectionCheck {
  readonly name: 'login' | 'events' | 'git' | 'labels' | 'rights' | 'webhook' | 'clock';
  readonly ok: boolean;
  /** What was found; where something is wrong, what to do. */
  readonly message: string;
}
