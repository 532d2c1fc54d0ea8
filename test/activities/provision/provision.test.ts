import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Provider } from '../../../activities/nodes/port.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { provision } from '../../../activities/provision/provision.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import { temporary } from '../repository/packages.ts';

const platform = (label: string) => builtInPlatforms.find(({ name }) => name === label) as Platform;
const signal = AbortSignal.timeout(600_000);

/** A container in the place of a machine that is being prepared: it is spoken to in the same way. */
async function world(t: TestContext, files: Readonly<Record<string, string>>, timeout = 2) {
  const directory = await temporary(t);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), text, { mode: 0o755 });
  }
  const provider = openProvider('docker');
  const build = `test-provision-${process.pid}-${timeout}`;
  const lease = await provider.lend({ build });
  t.after(() => provider.release(lease));
  // It has Python already.
  const given = platform('rpm-debian-12');
  const machine = await lease.machine({ name: 'machine', platform: given, kind: 'system', network: 'none' });
  const said: string[] = [];
  const tell = (line: string) => void said.push(line);
  const runBy = (lender: Provider, run: readonly string[]) => {
    const of = {
      platform: { ...given, provider: 'vm' as const, provision: { directory, run, timeout } },
      machine,
      signal,
      tell,
    };
    return provision({ platform, defaultLabel: 'debian-12', provider: lender }, of);
  };
  const run = (...run: string[]) => runBy(provider, run);
  const full: Provider = { ...provider, lend: () => Promise.reject(new Error('no container more')) };
  const runInVain = (...run: string[]) => runBy(full, run);
  const look = async (script: string) => (await machine.exec(['sh', '-c', script], { signal })).output;
  return { run, runInVain, look, said };
}

test('I10: scripts run one after the other as root, beside their files; the first that fails is told, with its last words', async (t) => {
  const { run, look, said } = await world(t, {
    'first/one.sh': '#!/bin/sh\necho "$(id -un) $(pwd) $(cat data)" > /one; echo done; echo so\n',
    data: 'beside',
    'fails.sh': '#!/bin/sh\necho something >&2; echo no good >&2; exit 3\n',
    'silent.sh': '#!/bin/sh\nexit 1\n',
    'late.sh': '#!/bin/sh\nsleep 60\n',
    'never.sh': '#!/bin/sh\ntouch /never\n',
  });
  await run('first/one.sh');
  assert.equal(await look('cat /one; ls /sluice/provision 2>&1 | grep -c No'), 'root /sluice/provision beside\n1\n');
  assert.deepEqual(said, ['provisioning: first/one.sh', 'done', 'so']);
  const failure = { message: 'provisioning: fails.sh ended with 3; the end of what it printed:\nsomething\nno good' };
  await assert.rejects(run('fails.sh', 'never.sh'), failure);
  await assert.rejects(run('silent.sh'), { message: 'provisioning: silent.sh ended with 1' });
  await assert.rejects(run('late.sh'), { message: 'provisioning: late.sh was not done in 2 s' });
  assert.equal(await look('ls /never'), "ls: cannot access '/never': No such file or directory\n");
});

test('I10: playbooks run in a container beside, whoever else has one, with their roles; a task that fails is told by its name', async (t) => {
  const play = `- hosts: machine
  gather_facts: false
  roles: [made]
  tasks:
    - {name: it is not there, command: cat /nowhere}
`;
  const files = {
    'site.yaml': play,
    'roles/made/tasks/main.yaml': '- copy: {src: text, dest: /made}\n',
    'roles/made/files/text': 'by a role',
  };
  const { run, runInVain, look, said } = await world(t, files, 600);
  const site = run('site.yaml');
  site.catch(() => {});
  for (; said.length < 2; await sleep(50)) signal.throwIfAborted();
  // Of the same platform, as of another host, while the first one runs.
  await assert.rejects(runInVain('site.yaml'), { message: 'no container more' });
  await assert.rejects(site, (error: Error) => {
    const words = /^provisioning: site\.yaml: the task "it is not there" \(site\.yaml:5\) failed: /;
    assert.match(error.message, words);
    return true;
  });
  assert.equal(await look('cat /made'), 'by a role');
});
