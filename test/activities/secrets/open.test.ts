import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createProjectKeys } from '../../../activities/secrets/keys.ts';
import { createOpenSecrets } from '../../../activities/secrets/open.ts';
import type { SecretRequest } from '../../../activities/secrets/port.ts';
import { createSealer } from '../../../activities/secrets/seal.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { temporary } from '../repository/packages.ts';
import { encrypted, plain, privateKey } from './vector.ts';

/** A desk with the key of `app`, a stored secret, and a request for it by the one build that runs. */
async function desk(t: TestContext) {
  const directory = await temporary(t);
  await writeFile(join(directory, 'app.pem'), privateKey);
  const sealer = await createSealer(directory);
  const blobs = createFileBlobStore({ root: join(directory, 'storage'), baseUrl: '' });
  const value = { scheme: 'pkcs1-oaep', chunks: [encrypted] };
  const { digest } = await blobs.put(JSON.stringify({ user: 'ann', password: value, more: [{ key: value }] }));
  const seen = { project: 'app', branch: 'main', path: 'upload.sh', secrets: [{ name: 'login', secret: 'upload' }] };
  const job = {
    job: 'use',
    sources: [{ project: 'app', branch: 'main', commit: '1'.repeat(40) }],
    secrets: {
      uses: [{ secret: 'upload', project: 'app', encrypted: digest }],
      playbooks: [seen],
      exposure: 'redact' as const,
    },
  };
  const request: SecretRequest = {
    build: 'use-1',
    ...job,
    secrets: { ...job.secrets, seal: sealer.seal(job) },
  };
  const runs = async (build: string, name: string) => build === 'use-1' && name === 'use';
  const open = createOpenSecrets({ keys: createProjectKeys(directory), sealer, blobs, runs });
  return { directory, open, request, job };
}

test('a running build of a sealed job is given its secrets, and told which values are secret', async (t) => {
  const { open, request } = await desk(t);
  const data = { user: 'ann', password: plain, more: [{ key: plain }] };
  assert.deepEqual(await open(request), [{ secret: 'upload', data, values: [plain, plain] }]);
});

test('the order of sources does not matter, nor one that comes twice', async (t) => {
  const { open, request } = await desk(t);
  const [own = assert.fail()] = request.sources;
  assert.equal((await open({ ...request, sources: [own, own] })).length, 1);
});

test('the seal’s key is kept', async (t) => {
  const { directory, request, job } = await desk(t);
  assert.equal((await createSealer(directory)).fits(job, request.secrets.seal), true);
});

const altered: readonly [string, (request: SecretRequest) => SecretRequest, RegExp][] = [
  ['a build that does not run', (request) => ({ ...request, build: 'use-2' }), /no build use-2 of use runs/],
  ['a build of another job', (request) => ({ ...request, job: 'other' }), /no build use-1 of other runs/],
  [
    'a job with other sources',
    (request) => ({ ...request, sources: request.sources.map((one) => ({ ...one, commit: '2'.repeat(40) })) }),
    /not as it was frozen/,
  ],
  [
    'a job with another program',
    ({ secrets, ...request }) => ({
      ...request,
      secrets: { ...secrets, playbooks: secrets.playbooks.map((one) => ({ ...one, path: 'evil.sh' })) },
    }),
    /not as it was frozen/,
  ],
  [
    'a job with another secret',
    ({ secrets, ...request }) => ({
      ...request,
      secrets: { ...secrets, uses: secrets.uses.map((one) => ({ ...one, project: 'other' })) },
    }),
    /not as it was frozen/,
  ],
  [
    'a job with a milder word about exposure',
    ({ secrets, ...request }) => ({ ...request, secrets: { ...secrets, exposure: 'ignore' } }),
    /not as it was frozen/,
  ],
  [
    'a seal that is none',
    ({ secrets, ...request }) => ({ ...request, secrets: { ...secrets, seal: 'x' } }),
    /not as it was frozen/,
  ],
];

for (const [what, alter, why] of altered) {
  test(`${what} is given nothing`, async (t) => {
    const { open, request } = await desk(t);
    await assert.rejects(open(alter(request)), (error: Error) => error.name === 'Refused' && why.test(error.message));
  });
}
