import type { Git } from '../../activities/git/port.ts';
import { mapAtOnce } from '../../activities/process/at-once.ts';
import type { ReviewHost } from '../../activities/review/port.ts';
import { absence } from '../../pipelines/report/sentences.ts';
import type { AbsentProject } from '../../server/api/types.ts';
import type { Listing } from '../common/listing.ts';
import type { LiveConfig } from '../common/live-config.ts';
import { isPattern, namedProjects } from '../config/projects.ts';
import { absentProjects } from './absent-projects.ts';

export interface RenewDeps {
  readonly git: Pick<Git, 'ensure'>;
  readonly live: Pick<LiveConfig, 'settings' | 'projects'>;
  readonly listing: Listing;
  /** Hosts that are not Sluice itself. */
  readonly hosts: readonly ReviewHost[];
  readonly warn: (about: object, message: string) => void;
}

/** Milliseconds between two looks at all projects of a host; so many are fetched at once. */
const period = 5 * 60_000;
const atOnce = 4;

export interface Renewal {
  /** Looks at a connection's projects, unless that was done a moment ago. */
  renew(connection: string): void;
  /**
   * Looks now at which projects there are, for the host has said that this is new. Nothing is fetched.
   *
   * @throws what keeps the host from answering
   */
  look(connection: string): Promise<void>;
  /** Those that were not under their names when it was looked last. */
  absent(): readonly AbsentProject[];
}

/**
 * Sees now and then to it that Sluice knows which projects a host has and what their branches are at, whatever it was
 * told or not: whoever asks gets what there is at once.
 */
export function createRenewal(deps: RenewDeps): Renewal {
  const last = new Map<string, number>();
  const absent = new Map<string, readonly AbsentProject[]>();
  const lookForAbsent = async (host: ReviewHost) => {
    const { connection } = host;
    const before = absent.get(connection) ?? [];
    const gone = await absentProjects(host, namedProjects(deps.live.settings().projects, connection));
    absent.set(connection, gone);
    for (const { project, now } of gone) {
      const isKnown = before.some((known) => known.project === project && known.now === now);
      if (!isKnown) deps.warn({ connection }, absence(project, now));
    }
  };
  const find = (connection: string) => deps.hosts.find((one) => one.connection === connection);
  return {
    renew(connection) {
      const host = find(connection);
      const before = last.get(connection);
      if (host === undefined || (before !== undefined && Date.now() - before < period)) return;
      last.set(connection, Date.now());
      const renewing = list(deps, host).then(() => fetchAll(deps, host));
      void Promise.all([renewing, lookForAbsent(host)]).catch((error: Error) => {
        last.delete(connection);
        deps.warn({ connection, error: error.message }, 'cannot see what projects a review system has');
      });
    },
    async look(connection) {
      const host = find(connection);
      if (host !== undefined) await Promise.all([list(deps, host), lookForAbsent(host)]);
    },
    absent: () => [...absent.values()].flat(),
  };
}

/** What patterns of names match is kept. */
async function list({ live, listing }: RenewDeps, host: ReviewHost): Promise<void> {
  const { connection } = host;
  const patterns = Object.entries(live.settings().projects).filter(([key]) => isPattern(key));
  if (patterns.some(([, entry]) => entry.connection === connection)) {
    await listing.write(connection, await host.listProjects());
  }
}

async function fetchAll({ git, live, warn }: RenewDeps, { connection }: ReviewHost): Promise<void> {
  const own = live.projects().filter((project) => project.connection === connection);
  await mapAtOnce(own, atOnce, ({ name }) =>
    git.ensure(name, []).catch((error: Error) => warn({ connection }, error.message)),
  );
}
