import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../activities/process/run.ts';
import { buildLayout, defaultTenant, type Layout, parseConfigFile } from '../../pipelines/language/language.ts';
import { startServer, type TestServer } from '../server/server.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const reloaded = { file: 'sluice.yaml', applied: ['projects'], restart: [] };

test('reload tells what is wrong with the pipelines, and in which project, which it does not refuse', async (t) => {
  const server = await serve(t, async () => broken());
  const { code, stdout, stderr } = await sluice(server, 'reload');
  assert.deepEqual([code, stdout], [0, 'Holds from now on: projects\n'], stderr);
  assert.match(stderr, /^The configuration of the pipelines has 1 error \(sluice config check --server\):\n/);
  assert.match(stderr, /\ntool\/zuul\.yaml@main:2:\d+: .*nowhere/);
  const json = await sluice(server, 'reload', '--json');
  const { errors, ...rest } = JSON.parse(json.stdout);
  assert.deepEqual([json.code, json.stderr, rest], [0, '', reloaded]);
  const [{ project, branch, path, line, severity }] = errors;
  assert.deepEqual([project, branch, path, line, severity], ['tool', 'main', 'zuul.yaml', 2, 'error']);
});

test('config check and freeze name the project of what is wrong with a running server', async (t) => {
  const server = await serve(t, async () => broken());
  const { code, stdout } = await sluice(server, 'config', 'check', '--server', server.url);
  assert.equal(code, 1);
  assert.match(stdout, /^tool\/zuul\.yaml@main:2:\d+: .*nowhere/);
  const json = await sluice(server, 'config', 'check', '--server', server.url, '--json');
  assert.deepEqual(
    JSON.parse(json.stdout).errors.map(({ project, branch, path }: Record<string, string>) => [project, branch, path]),
    [['tool', 'main', 'zuul.yaml']],
  );
});

test('a reload is done, and says so, where nobody can tell what is wrong with the pipelines', async (t) => {
  const server = await serve(t, async () => {
    throw new Error('tool has no branch yet');
  });
  const { code, stdout, stderr } = await sluice(server, 'reload');
  assert.deepEqual([code, stdout], [0, 'Holds from now on: projects\n'], stderr);
  assert.match(stderr, /^The configuration file was read again; whether .* could not be asked: \S/);
  const json = await sluice(server, 'reload', '--json');
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, { ...reloaded, errors: null }]);
  assert.match(json.stderr, /^The configuration file was read again/);
});

function broken(): Layout {
  const source = { name: 'tool', connection: 'git', trusted: true, branches: ['main'], defaultBranch: 'main' };
  const text = '- job: { name: good, run: x.sh }\n- job: { name: bad, parent: nowhere }\n';
  const file = parseConfigFile({ project: 'tool', branch: 'main', path: 'zuul.yaml', text, trusted: true });
  return buildLayout({ tenant: { ...defaultTenant, name: 'main' }, projects: [source], files: [file] });
}

async function serve(t: TestContext, layout: () => Promise<Layout>): Promise<TestServer> {
  const configuration = { notice: () => null, reload: () => reloaded, mirrorSets: () => [] };
  const server = await startServer({ configuration, layout });
  t.after(() => server.stop());
  return server;
}

function sluice({ url, token }: TestServer, ...words: readonly string[]) {
  const env = { SLUICE_SERVER: url, SLUICE_TOKEN: token, NO_COLOR: '1', PATH: process.env.PATH ?? '' };
  return run(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...words], { env });
}
