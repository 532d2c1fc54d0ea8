import assert from 'node:assert/strict';
import { declare } from '../../../activities/layout/declare.ts';
import { readShipped } from '../../../activities/layout/shipped.ts';
import type { ConnectionSettings } from '../../../activities/review/settings.ts';
import { buildLayout, defaultTenant, layoutPipelines, parseConfigFile } from '../../../pipelines/language/language.ts';
import { type Change, type TriggerEvent, unproposed } from '../../../pipelines/model/change.ts';
import { triggers } from '../../../pipelines/policy/triggers.ts';

const secret = { env: 'X' };
const forge = { url: 'https://h', token: secret } as const;
export const gerrit = { driver: 'gerrit', url: 'http://h', ssh: 'ssh://u@h', identity: 'i', knownHosts: 'k' } as const;
/** A connection of each kind. */
export const all: Readonly<Record<string, ConnectionSettings>> = {
  git: { driver: 'git' },
  plain: { driver: 'git', url: 'https://h', approve: { label: 'Workflow', value: 2 } },
  review: gerrit,
  labelled: { ...gerrit, approve: { label: 'Workflow', value: 1 } },
  hub: { driver: 'github', url: 'https://h', token: secret },
  app: { driver: 'github', url: 'https://h', app: { id: 1, key: secret }, approve: { label: 'gate me' } },
  lab: { ...forge, driver: 'gitlab' },
  tea: { ...forge, driver: 'gitea' },
};

/** The shipped pipelines, as they are with those connections. */
export async function pipelinesOf(connections: Readonly<Record<string, ConnectionSettings>>) {
  const drivers = Object.fromEntries(Object.entries(connections).map(([name, { driver }]) => [name, driver]));
  const sources = [...(await readShipped(connections)), declare([])];
  const project = {
    name: 'sluice/defaults',
    connection: 'x',
    trusted: true,
    branches: ['master'],
    defaultBranch: 'master',
  };
  const files = sources.map((source) => parseConfigFile({ ...source, connections: drivers }));
  const layout = buildLayout({ tenant: defaultTenant, projects: [project], files });
  assert.deepEqual(layout.problems, []);
  return Object.fromEntries(layoutPipelines(layout).map((pipeline) => [pipeline.name, pipeline]));
}

export const pipelines = await pipelinesOf(all);

/** Which pipelines an event brings its change into. */
export function taken(event: TriggerEvent, change?: Partial<Change>): string {
  const subject = { ...unproposed, kind: 'change', connection: event.connection, ...change } as Change;
  const named = Object.values(pipelines).filter((one) => triggers(one, event, subject));
  return named.map(({ name }) => name).join(' ');
}
