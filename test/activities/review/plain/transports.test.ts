import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { readBranch } from '../../../../activities/git/refs.ts';
import { must } from '../../../../activities/process/run.ts';
import type { UrlSettings } from '../../../../activities/review/plain/remote.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { scratch } from '../../git/repository.ts';
import { startSshServer } from '../../mirror/sshd.ts';
import { testReviewHost } from '../contract.ts';
import { testedRequest } from '../tested.ts';
import { type GitDaemon, startGitDaemon } from './daemon.ts';
import { openPlainWorld } from './world.ts';

const directory = await mkdtemp(join(tmpdir(), 'sluice-plain-sshd-'));
const sshd = await startSshServer(directory);
after(async () => {
  await sshd.stop();
  await rm(directory, { recursive: true, force: true });
});

const bySsh = (t: TestContext, settings: Partial<UrlSettings> = {}) =>
  openPlainWorld(t, {
    serve: async (root) => `ssh://root@127.0.0.1:${sshd.port}${root}`,
    settings: { identity: sshd.identity, knownHosts: sshd.knownHosts, ...settings },
  });

async function byDaemon(t: TestContext, options: { readonly push?: boolean } = {}) {
  let daemon: GitDaemon | undefined;
  const serve = async (root: string) => {
    daemon = await startGitDaemon(t, root, options);
    return daemon.url;
  };
  return { ...(await openPlainWorld(t, { serve })), stop: async () => daemon?.stop() };
}

testReviewHost('plain Git by git://', (t) => byDaemon(t));

const proposal = { project: 'alpha', file: 'a', content: '1' };

// Each question is a connection with its handshake: the contract runs by git://, and here the story of one change.
test('plain Git by ssh: a change is proposed, voted for, reported on and merged', async (t) => {
  const world = await bySsh(t);
  const { host, push, vote, repo } = world;
  const id = await push(proposal);
  await vote(id, 'Approved', 1);
  await host.report(gateActor, { key: 'k', change: id, patchset: 1, message: 'fine', body: { Verified: 1 } });
  const change = await host.readChange(id);
  assert.deepEqual(change?.votes.map(({ label, by }) => [label, by]).sort(), [
    ['Approved', 'bob'],
    ['Verified', 'sluice'],
  ]);
  const result = await host.submit(gateActor, await testedRequest(world, id));
  assert.ok(result.kind === 'merged');
  assert.equal(await readBranch(repo('alpha'), 'master'), result.state.commit);
});

test('plain Git by ssh: a key that the host does not know is refused, and said so', async (t) => {
  const identity = join(await scratch(t), 'other');
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', identity]);
  const { connection } = await bySsh(t, { identity });
  const [login] = (await connection.check?.()) ?? [];
  assert.equal(login?.ok, false);
  assert.match(login?.message ?? '', /^plain does not answer for alpha: .*Permission denied \(publickey/);
});

for (const key of ['identity', 'knownHosts'] as const) {
  test(`plain Git by ssh: a file of \`${key}\` that is not there is told by its key, with what to put there`, async (t) => {
    const path = join(await scratch(t), 'absent');
    const { connection } = await bySsh(t, { [key]: path });
    const [login] = (await connection.check?.()) ?? [];
    assert.equal(login?.ok, false);
    const says = `${path}, which \`${key}\` names, cannot be read: ENOENT: no such file or directory: put the `;
    assert.equal(login?.message.slice(0, says.length), says);
  });
}

test('S1: plain Git by ssh: a host with another key than the known one is given nothing', async (t) => {
  const place = await scratch(t);
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(place, 'other')]);
  const [type = '', key = ''] = (await must('cat', [join(place, 'other.pub')])).stdout.split(' ');
  const knownHosts = join(place, 'known_hosts');
  for (const text of ['', `[127.0.0.1]:${sshd.port} ${type} ${key}\n`]) {
    await writeFile(knownHosts, text);
    const before = await sshd.connections();
    const { connection } = await bySsh(t, { knownHosts });
    const [login] = (await connection.check?.()) ?? [];
    assert.equal(login?.ok, false);
    assert.match(login?.message ?? '', /Host key verification failed/);
    assert.equal(await sshd.connections(), before);
  }
});

for (const [name, open] of [
  ['ssh', bySsh],
  ['git://', byDaemon],
] as const) {
  test(`plain Git by ${name}: a project that is not there is named, and is no host that is away`, async (t) => {
    const { connection, host, repo, push } = await open(t);
    const id = await push(proposal);
    assert.ok(await host.readChange(id));
    await rename(repo('alpha'), `${repo('alpha')}.moved`);
    await assert.rejects(host.readChange(id), (error: Error) => {
      assert.notEqual(error.name, 'HostAway');
      assert.match(error.message, /alpha/);
      return true;
    });
    const wrong = (await connection.check?.())?.filter(({ ok }) => !ok) ?? [];
    assert.deepEqual([wrong[0]?.name, /^there is no alpha at /.test(wrong[0]?.message ?? '')], ['git', true]);
    assert.deepEqual(await host.listOpenChanges(), [], 'the other project is read');
  });
}

test('plain Git by git://: a daemon that takes no pushes is said to the doctor, and nothing is merged', async (t) => {
  const { connection, host, push, repo } = await byDaemon(t, { push: false });
  const id = await push(proposal);
  const change = await host.readChange(id);
  const tip = await readBranch(repo('alpha'), 'master');
  const rights = (await connection.check?.())?.find((line) => line.name === 'rights');
  assert.equal(rights?.ok, false);
  assert.match(rights?.message ?? '', /let Sluice push there/);
  const state = { project: 'alpha', branch: 'master', commit: change?.newrev ?? '', tree: '' };
  // Not HostAway: the queue would wait for a daemon that says the same for ever.
  await assert.rejects(host.submit(gateActor, { change: id, patchset: 1, tested: state }), {
    name: 'Error',
    message: /^the host does not answer for alpha: .*access denied/,
  });
  assert.equal(await readBranch(repo('alpha'), 'master'), tip);
});

test('plain Git by git://: a daemon that is down is a host that is away, and its changes are what they were', async (t) => {
  const { host, push, stop } = await byDaemon(t);
  const id = await push(proposal);
  assert.ok(await host.readChange(id));
  await stop();
  await assert.rejects(host.readChange(id), { name: 'HostAway' });
});
