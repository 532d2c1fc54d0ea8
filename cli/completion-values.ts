import type { Config } from '../infra/config/load.ts';
import type { Change } from '../pipelines/model/change.ts';
import type { StatusView } from '../server/api/types.ts';
import { type ApiClient, createClient } from './client.ts';
import { readConfiguration } from './configuration.ts';

/** What an option or an argument takes, where the possible values can be looked up. */
export type ValueKind =
  | 'changes'
  | 'builds'
  | 'buildsets'
  | 'jobs'
  | 'pipelines'
  | 'projects'
  | 'platforms'
  | 'mirrors';

const byOption: Readonly<Record<string, ValueKind>> = {
  '--pipeline': 'pipelines',
  '--project': 'projects',
  '--change': 'changes',
  '--buildset': 'buildsets',
  '--job': 'jobs',
  '--platform': 'platforms',
};

const byArgument: Readonly<Record<string, ValueKind>> = {
  ...{
    change: 'changes',
    changes: 'changes',
    build: 'builds',
    buildset: 'buildsets',
    job: 'jobs',
    project: 'projects',
    set: 'mirrors',
  },
};

/** The kind of value of an option, by its long name. */
export function optionKind(long: string): ValueKind | undefined {
  return byOption[long];
}

/** The kind of value of an argument, by its name in the help. */
export function argumentKind(name: string): ValueKind | undefined {
  return byArgument[name];
}

/** The values that there are now; none where nobody can say: completion is silent. */
export async function valuesOf(kind: string): Promise<readonly string[]> {
  try {
    const config = readConfiguration();
    return [...new Set(await (lookUps[kind as ValueKind]?.(config, createClient({})) ?? []))];
  } catch {
    return [];
  }
}

type LookUp = (config: Config, client: ApiClient) => Promise<readonly string[]>;

const lookUps: Readonly<Record<ValueKind, LookUp>> = {
  async changes(_config, client) {
    // Shells take a colon for the end of a word: the bare number, where it is one change's.
    const ids = (await client.get<Change[]>('/api/changes', { status: 'open' })).map(({ id }) => id);
    const bare = ids.map((id) => id.slice(id.indexOf(':') + 1));
    return new Set(bare).size === ids.length ? bare : ids;
  },
  async builds(_config, client) {
    return (await client.get<{ id: string }[]>('/api/builds', { limit: 50 })).map(({ id }) => id);
  },
  async buildsets(_config, client) {
    return (await client.get<{ key: string }[]>('/api/buildsets', { limit: 50 })).map(({ key }) => key);
  },
  async jobs(_config, client) {
    return (await client.get<{ job: string }[]>('/api/builds', { limit: 500 })).map(({ job }) => job);
  },
  async pipelines(_config, client) {
    const { pipelines = [] } = await client.get<StatusView>('/api/status');
    return pipelines.map(({ name }) => name);
  },
  projects: async ({ projects }) => Object.keys(projects),
  mirrors: async ({ mirrors }) => Object.keys(mirrors),
  async platforms(config) {
    const { allPlatforms } = await import('../infra/config/platforms.ts');
    return allPlatforms(config).map(({ name }) => name);
  },
};
