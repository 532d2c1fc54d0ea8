import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openProvider } from '../../../../activities/nodes/registry.ts';
import { hardwareHere } from '../../../../activities/nodes/vm/accelerator.ts';
import { prepareSnapshot } from '../../../../activities/nodes/vm/prepare.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { placesIn } from '../../../../activities/nodes/vm/records.ts';
import { preparationOf } from '../../../../activities/nodes/vm/stale.ts';
import { waysTo } from '../../../../activities/nodes/vm/ways.ts';
import { provisionDigest } from '../../../../activities/provision/files.ts';
import { provision } from '../../../../activities/provision/provision.ts';
import { checkout } from '../../../../infra/bootstrap/find.ts';
import { archivesOf } from '../../../../infra/common/machines.ts';
import { readAptSettings } from '../../../../infra/images/apt-settings.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import { ensureVmImage } from '../../../../infra/images/vm/image.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';

// By hand, and no part of `npm test`: an image is made and booted twice, which takes minutes without KVM.
// .tools/node --test test/activities/nodes/vm/provision.ts

const signal = AbortSignal.timeout(3_000_000);
const site = `- hosts: all
  tasks:
    - copy: {content: by a playbook, dest: /etc/played}
    - copy:
        dest: /etc/systemd/system/lab.service
        content: "[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"
    - systemd: {name: lab, enabled: true, state: started, daemon_reload: true}
`;
const scripts = {
  // From the archive that the machine reaches meanwhile.
  'tools.sh': '#!/bin/sh\nset -e\napt-get -q update\napt-get -q -y --no-install-recommends install hello\n',
  'site.yaml': site,
  'breaks.sh': '#!/bin/sh\nsystemd-run --unit=broken /bin/false || :\nsleep 2\nsystemctl --failed\n',
  'fails.sh': '#!/bin/sh\necho no good; exit 3\n',
};

test('I10: machines have what was done to theirs before it was saved, and what fails leaves what there was', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-provision-'));
  const directory = join(root, 'lab');
  await mkdir(directory);
  for (const [name, text] of Object.entries(scripts)) await writeFile(join(directory, name), text, { mode: 0o755 });
  const places = placesIn(root);
  const vm = createVmProvider({ places, installation: null, ways: async () => [] });
  const build = `test-provisioned-${process.pid}`;
  t.after(async () => {
    await vm.sweep(build);
    await rm(root, { recursive: true });
  });
  const find = (label: string) => builtInPlatforms.find(({ name }) => name === label) as Platform;
  const limits = { ...find('debian-12').limits, cpus: 1, memoryMiB: 384 };
  const own = { name: 'lab', provider: 'vm', limits, buildImage: 'lab', testImage: 'lab' } as const;
  const platform: Platform = { ...find('debian-12'), ...own };
  const from = await ensureVmImage(join(checkout, '.tools', 'vm', 'images'), platform, (line) => t.diagnostic(line));
  const lender = { places, installation: null, ways: waysTo(archivesOf(await readAptSettings('bookworm'))) };
  const prepare = async (...run: string[]) => {
    const begin = performance.now();
    const given = { ...platform, provision: { directory, run, timeout: 600 } };
    const preparation = preparationOf(
      given,
      { from, provision: await provisionDigest(given.provision) },
      await hardwareHere(),
    );
    const deps = { platform: find, defaultLabel: 'debian-12', provider: openProvider('docker') };
    const tell = (line: string) => t.diagnostic(line);
    const work = {
      signal,
      provision: (machine: Parameters<typeof provision>[1]['machine']) =>
        provision(deps, { platform: given, machine, signal, tell }),
    };
    const snapshot = await prepareSnapshot(lender, preparation, work);
    t.diagnostic(`prepared in ${Math.round((performance.now() - begin) / 1000)} s; booted in ${snapshot.bootMs} ms`);
    return snapshot;
  };
  const { id, provision: digest } = await prepare('tools.sh', 'site.yaml');
  assert.match(digest ?? '', /^[0-9a-f]{32}$/);
  const lease = await vm.lend({ build });
  const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'none' });
  const look = 'hello; cat /etc/played; echo; systemctl is-active lab; ls /sluice';
  const { output } = await machine.exec(['sh', '-c', look], { signal });
  assert.deepEqual(output.trim().split('\n'), ['Hello, world!', 'by a playbook', 'active']);
  await assert.rejects(prepare('fails.sh'), { message: /^provisioning: fails\.sh ended with 3; .*:\nno good$/ });
  await assert.rejects(prepare('breaks.sh'), { message: /^the machine is not healthy: degraded\nbroken\.service/ });
  assert.deepEqual(await readdir(places.snapshots), [id]);
});
