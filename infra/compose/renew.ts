import type { Git } from '../../activities/git/port.ts';
import type { ReviewHost } from '../../activities/review/port.ts';
import { isPattern } from '../config/projects.ts';
import type { Listing } from './listing.ts';
import type { LiveConfig } from './live-config.ts';

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

/**
 * Sees now and then to it that Sluice knows which projects a host has and what their branches are at, whatever it was
 * told or not: whoever asks gets what there is at once.
 */
export function createRenewal(deps: RenewDeps): (connection: string) => void {
  const last = new Map<string, number>();
  return (connection) => {
    const host = deps.hosts.find((one) => one.connection === connection);
    const before = last.get(connection);
    if (host === undefined || (before !== undefined && Date.now() - before < period)) return;
    last.set(connection, Date.now());
    void renew(deps, host).catch((error: Error) => {
      last.delete(connection);
      deps.warn({ connection, error: error.message }, 'cannot see what projects a review system has');
    });
  };
}

async function renew({ git, live, listing, warn }: RenewDeps, host: ReviewHost): Promise<void> {
  const { connection } = host;
  const patterns = Object.entries(live.settings().projects).filter(([key]) => isPattern(key));
  if (patterns.some(([, entry]) => entry.connection === connection)) {
    await listing.write(connection, await host.listProjects());
  }
  const waiting = live.projects().filter((project) => project.connection === connection);
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await git.ensure(next.name, []).catch((error: Error) => warn({ connection }, error.message));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
