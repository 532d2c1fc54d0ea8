import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../../infra/config/load.ts';
import { readStackConfig, stackEnvironment, standalone } from '../../../infra/stack/settings.ts';

test('the configuration of a distribution with 20,000 projects reaches its processes', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-stack-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const config = standalone(loadConfig({ directory, data: join(directory, 'data') }));
  const names = Array.from({ length: 20_000 }, (_, index) => `pkg/package-${index}`);
  const project = { connection: 'git', templates: ['deb-package'], directPush: false };
  const env = stackEnvironment({ ...config, projects: Object.fromEntries(names.map((name) => [name, project])) });
  execFileSync(process.execPath, ['--version'], { env });
  const read = readStackConfig(env);
  assert.deepEqual(Object.keys(read?.projects ?? {}), names);
  assert.equal(readStackConfig({}), undefined);
});
