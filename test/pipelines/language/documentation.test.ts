import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildLayout, defaultTenant, parseConfigFile, problemText } from '../../../pipelines/language/language.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const defaults = join(root, 'pipelines', 'defaults');

test('every example of the documentation loads together with the shipped defaults', () => {
  const documentation = readFileSync(join(root, 'docs', 'pipelines.md'), 'utf8');
  const examples = [...documentation.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);
  assert.ok(examples.length >= 3);
  const shipped = readdirSync(defaults).filter((name) => name.endsWith('.yaml'));
  const own = shipped.map((path) => ({ path, text: readFileSync(join(defaults, path), 'utf8') }));
  for (const text of examples) {
    const files = [
      ...own.map((file) => ({ ...file, project: 'defaults', trusted: true })),
      { path: 'zuul.yaml', text, project: 'app', trusted: false },
    ];
    const projects = [...new Map(files.map(({ project, trusted }) => [project, trusted]))].map(([name, trusted]) => {
      return { name, trusted, connection: 'git', branches: ['master'], defaultBranch: 'master' };
    });
    const parsed = files.map((file) => parseConfigFile({ ...file, branch: 'master' }));
    assert.deepEqual(buildLayout({ tenant: defaultTenant, projects, files: parsed }).problems.map(problemText), []);
  }
});
