import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { must } from '../../activities/process/run.ts';
import { showToSigner } from '../../infra/bootstrap/signer.ts';
import { adminUrl, done } from '../../infra/gerrit/account.ts';
import { choosePort } from '../../infra/stack/ports.ts';
import { type SharedGerrit, sharedGerrit } from '../activities/review/gerrit/world.ts';
import { type Like, writeGreeter } from './faults/greeter.ts';
import { createStack, type Stack } from './faults/stack.ts';
import { packagesIn } from './faults/world.ts';
import { people, titled, until } from './gerrit/sluice.ts';

/** Installs only beside a greeter that no repository has before the change that it depends on is merged. */
const herald: Like = { name: 'herald', needs: { deb: 'greeter (>= 1.0.5)', rpm: 'greeter >= 1.0.5' } };

test('packages of two projects go from a real Gerrit into both released repositories, and what breaks stays out', async (t) => {
  const gerrit = await sharedGerrit();
  const [greeter, heralding] = [
    await enroll(t, gerrit, 'chain/greeter'),
    await enroll(t, gerrit, 'chain/herald', herald),
  ];
  const stack = await startStack(t, gerrit);
  const { read, verified, told, approve } = people(gerrit);

  const a = await greeter.propose(titled('Bring 1.1'), { 'debian/changelog': raise, 'greeter.spec': raise });
  const on = `Depends-On: ${gerrit.settings.url}/c/chain/greeter/+/${a}`;
  const b = await heralding.propose(titled('Proclaim it', on), {
    herald: (text) => text.replace('echo', '# Louder.\necho'),
  });
  const c = await greeter.propose(titled('Break it'), { 'sluice/smoke/greeter': () => '#!/bin/sh\nexit 1\n' });
  for (const number of [a, b, c]) await until(`${number} is checked`, async () => (await verified(number)) === 1);

  for (const number of [b, a, c]) await approve(number);
  for (const number of [a, b]) {
    const merged = async () => (await read(number)).status === 'MERGED' && (await verified(number)) === 2;
    await until(`${number} is merged`, merged, () => told(number));
    const report = await told(number);
    for (const job of jobs) assert.match(report, new RegExp(`\\b${job} SUCCESS\\b`), report);
  }
  await until('the gate says no to the third', async () => (await verified(c)) === -2);
  assert.match(await told(c), /\binstall-(deb|rpm) FAILURE\b/);
  assert.equal((await read(c)).status, 'NEW');

  assert.deepEqual(await greeter.subjects(), ['Bring 1.1', 'Import greeter']);
  assert.deepEqual(await heralding.subjects(), ['Proclaim it', 'Import herald']);
  for (const format of ['deb', 'rpm'])
    await until(
      `both packages are released as ${format}`,
      async () => {
        const names = await packagesIn(join(stack.data, 'released', format));
        return /^greeter\S* herald\S*$/.test(names.join(' ')) && names.every((name) => name.includes(versionOf(name)));
      },
      async () => `${await told(b)}\n${(await packagesIn(join(stack.data, 'released', format))).join(' ')}`,
    );
});

const jobs = ['build', 'publish', 'install', 'systest'].flatMap((stage) => [`${stage}-deb`, `${stage}-rpm`]);
const raise = (text: string) => text.replace('(1.0)', '(1.1)').replace(/^(Version: +)1\.0$/m, '$11.1');
const versionOf = (name: string) => (name.startsWith('greeter') ? '1.1' : '1.0');

/** A developer's clone of one project of Gerrit, whose first commit is a package. */
async function enroll(t: TestContext, gerrit: SharedGerrit, project: string, like?: Like) {
  await done(gerrit.rest('PUT', `/projects/${encodeURIComponent(project)}`, { parent: 'All-Projects' }));
  const directory = await mkdtemp(join(tmpdir(), 'sluice-packages-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const who = ['-c', 'user.name=Administrator', '-c', 'user.email=admin@example.com'];
  const git = async (...args: string[]) => (await must('git', [...who, ...args], { cwd: directory })).stdout.trim();
  const remote = adminUrl(gerrit.site, project);
  await git('init', '--quiet');
  await writeGreeter(directory, like);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', `Import ${like?.name ?? 'greeter'}`);
  await git('push', '--quiet', remote, 'HEAD:refs/heads/master');
  const first = await git('rev-parse', 'HEAD');
  return {
    /** Changes files of the first commit, and pushes that for review; answers with the change's number. */
    async propose(message: string, changes: Readonly<Record<string, (text: string) => string>>): Promise<number> {
      await git('checkout', '--quiet', '--detach', first);
      for (const [path, change] of Object.entries(changes))
        await writeFile(join(directory, path), change(await readFile(join(directory, path), 'utf8')));
      await git('commit', '--quiet', '--all', '--message', message);
      await git('push', '--quiet', remote, 'HEAD:refs/for/master');
      const commit = await git('rev-parse', 'HEAD');
      const found = (await done(gerrit.rest('GET', `/changes/?q=commit:${commit}`))) as { _number: number }[];
      return found[0]?._number ?? assert.fail(`no change has the commit ${commit}`);
    },
    /** What was merged, newest first, merges of Git's own left out. */
    async subjects(): Promise<readonly string[]> {
      await git('fetch', '--quiet', remote, 'refs/heads/master');
      return (await git('log', '--no-merges', '--format=%s', 'FETCH_HEAD')).split('\n');
    },
  };
}

/** A whole Sluice that knows the projects by their pattern, and whose signer may ask Gerrit. */
async function startStack(t: TestContext, gerrit: SharedGerrit): Promise<Stack> {
  const { settings } = gerrit;
  await chmod(gerrit.directory, 0o711);
  await showToSigner([settings.identity, settings.password.file]);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-packages-'));
  const port = () => choosePort('127.0.0.1', 0, 'test');
  const text = {
    server: { listen: `127.0.0.1:${await port()}` },
    temporal: { port: await port(), uiPort: await port() },
    workers: { build: 4 },
    connections: { review: settings },
    projects: { 'chain/*': { connection: 'review', queue: 'core' } },
  };
  await chmod(directory, 0o711);
  await writeFile(join(directory, 'sluice.yaml'), stringify(text));
  const stack = createStack(directory, {});
  t.after(async () => {
    await stack.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  await stack.start();
  return stack;
}
