import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../activities/process/run.ts';
import { buildLayout, defaultTenant, parseConfigFile } from '../../pipelines/language/language.ts';
import { startServer } from '../server/server.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

test('reload tells what is wrong with the pipelines, which it does not refuse', async (t) => {
  const source = { name: 'tool', connection: 'git', trusted: true, branches: ['main'], defaultBranch: 'main' };
  const jobs = '- job: { name: good, run: x.sh }\n- job: { name: bad, parent: nowhere }\n';
  const file = parseConfigFile({ project: 'tool', branch: 'main', path: 'zuul.yaml', text: jobs, trusted: true });
  const server = await startServer({
    configuration: {
      notice: () => null,
      reload: () => ({ file: 'sluice.yaml', applied: ['projects'], restart: [] }),
      mirrorSets: () => [],
    },
    layout: async () => buildLayout({ tenant: { ...defaultTenant, name: 'main' }, projects: [source], files: [file] }),
  });
  t.after(() => server.stop());
  const env = { SLUICE_SERVER: server.url, SLUICE_TOKEN: server.token, NO_COLOR: '1', PATH: process.env.PATH ?? '' };
  const args = ['--disable-warning=ExperimentalWarning', main, 'reload'];
  const { code, stdout, stderr } = await run(process.execPath, args, { env });
  assert.deepEqual([code, stdout], [0, 'Holds from now on: projects\n'], stderr);
  assert.match(stderr, /^The configuration of the pipelines has 1 error \(sluice config check --server\):\n/);
  assert.match(stderr, /zuul\.yaml:2:\d+: .*nowhere/);
});
