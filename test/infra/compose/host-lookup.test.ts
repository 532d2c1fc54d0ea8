import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lookUpAtHosts } from '../../../infra/compose/host-lookup.ts';
import { parseConfig } from '../../../infra/config/load.ts';
import { standalone } from '../../../infra/stack/settings.ts';
import { scratch } from '../../activities/git/repository.ts';

const text = `
connections:
  git: {driver: git}
  review:
    {driver: gerrit, url: 'http://127.0.0.1:1', ssh: 'ssh://u@127.0.0.1:1', identity: id, knownHosts: hosts}
projects:
  own: {}
  pkg/*: {connection: review}
`;

test('the signer looks up what Sluice serves as before, and asks other hosts by itself', async (t) => {
  const directory = await scratch(t);
  await mkdir(join(directory, 'keys'));
  const settings = parseConfig({ path: 'sluice.yaml', text, directory, env: {} });
  const lookUp = lookUpAtHosts(standalone({ ...settings, file: null, given: {} }), join(directory, 'keys'));
  assert.deepEqual([lookUp('own'), lookUp('stranger')], [null, null]);
  const asked = lookUp('pkg/alpha')?.({ project: 'pkg/alpha', branch: 'main', commit: '0'.repeat(40) });
  await assert.rejects(asked ?? Promise.resolve(), /^(HostAway|Error): review does not answer for pkg\/alpha: /);
});
