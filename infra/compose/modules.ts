import { createAskModules } from '../../activities/git/ask-modules.ts';
import type { GitPlace } from '../../activities/git/cache.ts';
import { createBringModules, type ModuleSite } from '../../activities/git/fetch-modules.ts';
import type { BringModules } from '../../activities/git/modules.ts';
import type { GitRemote } from '../../activities/git/remote.ts';
import type { StackConfig } from '../stack/settings.ts';
import type { LiveConfig } from './live-config.ts';
import { nearToken } from './token-file.ts';

export interface ModulesDeps {
  readonly live: Pick<LiveConfig, 'project'>;
  /** Where projects of a connection are fetched from. */
  readonly remotes: ReadonlyMap<string, (project: string) => GitRemote>;
  /** Where a project is. */
  readonly find: (project: string) => GitPlace;
  /** Has a project as its host has it now. */
  readonly refresh: (project: string) => Promise<void>;
}

/** Fetches submodules, from the projects of this installation where they are such. */
export function fetchModules({ live, remotes, find, refresh }: ModulesDeps): BringModules {
  const siteOf = (project: string): ModuleSite => {
    const place = find(project);
    const connection = live.project(project)?.connection;
    const address = place.kind === 'served' ? place.repo : (place.remote?.url ?? '');
    return {
      ...{ repo: place.repo, host: place.kind === 'served' ? 'Sluice' : place.host, address },
      site: siteIn(address, project),
      remote: place.kind === 'served' ? null : (remotes.get(place.host) ?? null),
      project(name) {
        const isOurs = live.project(name) !== undefined && live.project(name)?.connection === connection;
        return isOurs ? { repo: find(name).repo, refresh: () => refresh(name) } : null;
      },
    };
  };
  return createBringModules(siteOf);
}

/** What is before a project's name in its address; null where the address does not end with the name. */
function siteIn(address: string, project: string): string | null {
  const bare = address.replace(/\.git$/, '');
  return bare.endsWith(`/${project}`) ? bare.slice(0, -project.length - 1) : null;
}

/** What a worker does that has no rights at hosts: it asks the server. */
export function askForModules({ server, data }: StackConfig): BringModules {
  return createAskModules({ url: server.url, token: () => nearToken(data) });
}
