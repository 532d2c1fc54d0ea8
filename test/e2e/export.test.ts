import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { attestationFault } from '../../activities/attest/attestation.ts';
import { readBuilders } from '../../activities/attest/builder-key.ts';
import { prove } from '../../activities/attest/prove.ts';
import { run } from '../../activities/process/run.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { readManifest } from '../../activities/storage/manifest.ts';
import { checkout } from '../../infra/bootstrap/find.ts';
import type { HandImportResult } from '../../infra/by-hand/import.ts';
import { dataPaths } from '../../infra/stack/paths.ts';
import { buildersDirectory } from '../../infra/stack/signer.ts';
import type { BuildSetRecord } from '../../server/api/types.ts';
import { messageFor, openDesk } from '../activities/review/developer.ts';
import { until } from './faults/stack.ts';
import { createWorld, type World } from './faults/world.ts';

const jobs = `- job: { name: late, dependencies: [install-deb], run: late.sh }
- project:
    check:
      jobs: [noop, build-deb, publish-deb, install-deb, late]
`;

let world: World;
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-export-'));
  world = await createWorld({ jobs: 2 });
});
after(async () => {
  await world?.end();
  await rm(directory, { recursive: true, force: true });
});

/** Two changes, the second on top of the first: its package installs, and its smoke test does not pass. */
async function proposeTwo(): Promise<BuildSetRecord> {
  const desk = await openDesk(join(directory, 'desk'), join(world.stack.data, 'git', 'greeter.git'));
  const commit = async (word: string, path: string, text: string) => {
    await writeFile(join(desk.directory, path), text);
    await desk.git('add', '--all');
    await desk.git('commit', '-q', '-m', messageFor(word));
  };
  await commit('one', 'zuul.yaml', jobs);
  await commit('two', 'sluice/smoke/greeter', '#!/bin/sh\nexit 1\n');
  const pushed = await desk.push('refs/for/master');
  assert.equal(pushed.code, 0, pushed.stderr);
  return until('the end of the second build set', async () => {
    const all = await world.stack.get<BuildSetRecord[]>('/api/buildsets', { change: '2' });
    return all.find(({ endTime }) => endTime !== null);
  });
}

async function sluice(...words: string[]) {
  const config = join(directory, 'sluice.yaml');
  return run(process.execPath, [join(checkout, 'cli', 'main.ts'), ...words, '--config', config], { cwd: directory });
}

test('what one data directory exports runs in another, with the same results, and is released nowhere', async () => {
  const { key, result } = await proposeTwo();
  assert.equal(result, 'FAILURE');
  const out = join(directory, 'out');
  assert.match(await world.stack.sluice('export', key, out), /5 jobs, \d+ files/);
  await assert.rejects(world.stack.sluice('export', key, out), /is not empty/);
  await assert.rejects(world.stack.sluice('export', 'none', join(directory, 'none')), /there is no build set none/);
  assert.deepEqual((await readdir(directory)).sort(), ['desk', 'out']);

  await writeFile(join(directory, 'sluice.yaml'), 'data: ./other\n');
  const broken = join(directory, 'broken');
  await cp(out, broken, { recursive: true });
  await appendFile(join(broken, 'graph.json'), ' ');
  const refused = await sluice('import', broken);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /graph\.json: it has \d+ bytes/);

  const { code, stdout, stderr } = await sluice('import', out, '--keep', '--json');
  assert.equal(code, 0, stderr);
  const imported: HandImportResult = JSON.parse(stdout);
  const results = [
    ['noop', 'SUCCESS', 'SUCCESS'],
    ['build-deb', 'SUCCESS', 'SUCCESS'],
    ['publish-deb', 'SUCCESS', 'SUCCESS'],
    ['install-deb', 'FAILURE', 'FAILURE'],
    ['late', 'SKIPPED', 'SKIPPED'],
  ];
  assert.deepEqual(
    imported.jobs.map(({ job, exported, here }) => [job, exported, here]),
    results,
  );
  const log = await readFile(join(imported.directory, 'logs', 'install-deb-1.log'), 'utf8');
  assert.match(log, /repositories\/test\/git-1-1-publish-deb-/);
  await requireUnreleasable(imported);
});

/** The signer's question about a build, though its tree and all that it was built with were merged. */
async function requireUnreleasable({ directory: root }: HandImportResult): Promise<void> {
  const blobs = createFileBlobStore({ root: join(root, 'storage'), baseUrl: '' });
  const stored = await readdir(join(root, 'storage', 'blobs'), { recursive: true });
  const digests = stored.flatMap((path) => {
    const hex = /^sha256\/(.+)$/.exec(path)?.[1]?.replaceAll('/', '') ?? '';
    return /^[0-9a-f]{64}$/.test(hex) ? [`sha256:${hex}`] : [];
  });
  const contents = await Promise.all(digests.map((digest) => blobs.read(digest)));
  const built = digests.filter((_, index) => /"build": ?"import-/.test(String(contents[index])));
  const [digest = assert.fail('the build has no manifest')] = built;
  const manifest = await readManifest(blobs, digest);
  for (const data of [join(directory, 'other'), world.stack.data]) {
    const builders = readBuilders(buildersDirectory(dataPaths(data)));
    const proof = await prove(
      {
        manifest: (one) => readManifest(blobs, one),
        merged: async (of) => ({ ...of, tip: of.commit, tree: manifest.source.tree }),
        fault: (one) => attestationFault(one, builders),
      },
      digest,
      manifest.source.commit,
    );
    assert.match('refused' in proof ? proof.refused : 'believed', /is attested by a worker that is not known here$/);
  }
  assert.deepEqual(await readdir(join(directory, 'other')), ['imports']);
}
