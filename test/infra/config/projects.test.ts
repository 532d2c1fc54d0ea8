import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../infra/config/load.ts';
import { entryOf, expandProjects } from '../../../infra/config/projects.ts';

const text = `
connections:
  git: {driver: git}
  other: {driver: git, url: /srv}
projects:
  pkg/tinycdb: {connection: other, queue: core}
  pkg/lib-*: {connection: other, queue: libraries}
  pkg/*: {connection: other}
  deep/**: {connection: other}
  own: {}
  own-*: {}
config-projects: [pkg/config, own]
`;
const settings = parseConfig({ path: 'sluice.yaml', text, directory: '/', env: {} });

const cases: readonly (readonly [name: string, queue: string | undefined | null])[] = [
  ['pkg/tinycdb', 'core'],
  ['pkg/lib-a', 'libraries'],
  ['pkg/other', undefined],
  ['pkg/a/b', null],
  ['deep/a/b', undefined],
  ['own', undefined],
  ['pkg', null],
  ['xpkg/a', null],
  ['pkg/*', undefined],
];

test("a project's own entry goes before a pattern, an earlier pattern before a later one", () => {
  for (const [name, queue] of cases) {
    const entry = entryOf(settings.projects, name);
    assert.deepEqual(entry === undefined ? null : entry.queue, queue, name);
  }
});

test('patterns bring in what their own host has, and the configuration that is trusted', () => {
  const has: Record<string, readonly string[]> = {
    git: ['own-1', 'pkg/elsewhere'],
    other: ['pkg/a', 'pkg/lib-b', 'pkg/tinycdb', 'own-2', 'foreign'],
  };
  const found = expandProjects(settings, (connection) => has[connection] ?? []);
  assert.deepEqual([...found.keys()].sort(), [...['own', 'own-1', 'pkg/a', 'pkg/config', 'pkg/lib-b', 'pkg/tinycdb']]);
  assert.deepEqual([found.get('pkg/lib-b')?.queue, found.get('own-1')?.connection], ['libraries', 'git']);
});
