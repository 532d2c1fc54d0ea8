import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { declare } from '../../../activities/layout/declare.ts';
import { readShipped, shippedProject } from '../../../activities/layout/shipped.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { placeOf } from '../../../infra/config/project-places.ts';
import { buildLayout, defaultTenant, parseConfigFile } from '../../../pipelines/language/language.ts';

const files: readonly (readonly [says: string, text: string, wanted: readonly string[]])[] = [
  [
    'a project on lines of its own',
    'data: ./d\n\nprojects:\n  # One.\n  one:\n    queue: core\n    templates: [deb-package, nope]\n',
    ['7:5 nope'],
  ],
  [
    'a list of several lines',
    'projects:\n  one:\n    templates:\n      - nope\n      - deb-package\n      - neither\n',
    ['3:5 nope', '3:5 neither'],
  ],
  ['two projects on one line', 'projects: { one: {}, two: { templates: [nope] } }\n', ['1:69 nope']],
  ['a project on one line', 'data: ./d\nprojects:\n  one: { templates: [nope], queue: q }\n', ['3:38 nope']],
  [
    'several projects, in any order of names',
    'projects:\n  b:\n    templates: [nope]\n  a:\n    templates: [deb-package]\n  c:\n    templates: [deb-package,  neither]\n',
    ['3:5 nope', '7:5 neither'],
  ],
];
for (const [says, text, wanted] of files) {
  test(`W8, B1: what is wrong with a project of sluice.yaml is told with its line and column: ${says}`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-declare-'));
    t.after(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'sluice.yaml'), text);
    const entries = Object.entries(loadConfig({ directory }).projects);
    const declared = entries.map(([name, entry]) => {
      const at = placeOf(entry);
      return { name, templates: entry.templates, ...(entry.queue && { queue: entry.queue }), ...(at && { at }) };
    });
    const sources = [...(await readShipped()), declare(declared)].map((source) => parseConfigFile(source));
    assert.deepEqual(sources.at(-1)?.problems, []);
    const projects = [shippedProject, ...entries.map(([name]) => name)].map((name) => ({
      ...{ name, connection: 'git', trusted: true, branches: ['master'], defaultBranch: 'master' },
      ...{ loadBranch: 'master', extraConfigPaths: [] },
    }));
    const layout = buildLayout({ tenant: defaultTenant, projects, files: sources });
    const found = layout.problems.filter(({ path }) => path === 'sluice.yaml');
    const said = found.map(({ line, column, message }) => `${line}:${column} ${/"(\w+)" is not/.exec(message)?.[1]}`);
    assert.deepEqual(said, wanted, JSON.stringify(found));
  });
}
