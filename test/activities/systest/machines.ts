import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstallStage } from '../../../activities/install/install-stage.ts';
import { createSystestStage } from '../../../activities/systest/systest-stage.ts';
import { readText } from '../install/stage.ts';
import { machineWorld } from './machine-world.ts';

// By hand, and no part of `npm test`: an image is made and booted first, which takes minutes without KVM.
// .tools/node --test test/activities/systest/machines.ts

const scenario = (outside: string) => `
install: {server: [alpha], client: [alpha]}
steps:
  - {name: it writes to its console, on: server, run: "echo printed-by-$(hostname) > /dev/ttyS0"}
  - {name: it is a system of its own, on: server, run: "systemctl is-system-running", expect: running}
  - on: server
    background: true
    run: |
      exec perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => 7000, Listen => 5, ReuseAddr => 1) or die;
      while (my $c = $s->accept) { print $c \`answer\`; close $c }'
  - name: the client reaches the server
    on: client
    run: perl -MIO::Socket::INET -e 'print readline(IO::Socket::INET->new(PeerAddr => "server:7000") or exit 1)'
    expect: forty-two
    within: 30
  - {name: it is there, on: server, run: "echo kept > /root/kept; sync"}
  - {name: it boots anew, reboot: server}
  - {name: it is the same, on: server, run: "cat /root/kept; test $(cut -d. -f1 /proc/uptime) -lt 600", expect: kept}
  - {name: it is in the network, on: client, run: "ping -c 1 server || getent hosts server", expect: server}
  - {name: it reaches the client, on: server, run: "timeout 5 bash -c '</dev/tcp/client/7' 2>&1 || :", expect: refused}
  - {name: the repositories are gone, on: client, run: "! timeout 3 bash -c '</dev/tcp/${outside}'"}
  - {name: and so is all else, on: client, run: "! timeout 3 bash -c '</dev/tcp/10.0.2.2/22'"}
`;

for (const format of ['deb', 'rpm'] as const) {
  test(`a scenario of ${format} packages runs over two virtual machines that reach each other and nothing else`, async (t) => {
    const { deps, tree, run, reached, label, listed } = await machineWorld(t, format);
    const { port } = new URL(reached);
    await writeFile(join(tree, 'sluice/systest/pair.yaml'), scenario(`10.0.2.100/${port}`));
    const nodes = ['server', 'client'].map((name) => ({ name, label }));
    const { result, said } = await run(createSystestStage({ ...deps, defaultLabel: 'debian-12' }), {
      stage: 'systest',
      nodes,
    });
    assert.deepEqual([result.result, result.summary], ['SUCCESS', 'pair: 13 steps passed'], said);
    for (const [name, words] of [
      ['system-client.txt', listed],
      ['journal-server.txt', /systemd/],
      ['console-server.txt', /^printed-by-server$/m],
    ] as const) {
      assert.match(await readText(deps, result, name), words, name);
    }
  });

  test(`a ${format} package is installed, exercised and removed on a virtual machine, and nothing of it stays`, async (t) => {
    const { deps, run, label } = await machineWorld(t, format);
    const nodes = [{ name: 'node', label }];
    const { result, said } = await run(createInstallStage(deps), { stage: 'install', nodes });
    assert.deepEqual([result.result, result.summary], ['SUCCESS', 'installed, exercised and removed: alpha'], said);
  });
}

test('a playbook is played over virtual machines from a container, which reaches them all the same', async (t) => {
  const { deps, tree, run, label } = await machineWorld(t);
  const steps = 'roles: {servers: [server]}\nsteps:\n  - {playbook: tests/play.yaml}\n';
  const play = `- hosts: servers
  tasks:
    - assert: {that: "ansible_service_mgr == 'systemd' and ansible_user_id == 'root'"}
    - command: getent hosts client
`;
  await writeFile(join(tree, 'sluice/systest/pair.yaml'), steps);
  await mkdir(join(tree, 'tests'));
  await writeFile(join(tree, 'tests/play.yaml'), play);
  const nodes = ['server', 'client'].map((name) => ({ name, label }));
  const stage = createSystestStage({ ...deps, defaultLabel: 'debian-12' });
  const { result, said } = await run(stage, { stage: 'systest', nodes });
  assert.deepEqual([result.result, result.summary], ['SUCCESS', 'pair: 1 step passed'], said);
});
