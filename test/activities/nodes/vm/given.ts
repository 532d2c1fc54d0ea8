import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { sha256 } from '../../../../activities/files/digest.ts';
import { cloudDisk } from './cloud-disk.ts';
import { lendGiven, looked, looks } from './lend-given.ts';

test('I10: machines are lent of a disk of a cloud, which is fetched and made one by cloud-init', async (t) => {
  const disk = await cloudDisk();
  const server = createServer((_, response) => createReadStream(disk).pipe(response));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/generic.qcow2`;
  const { run } = await lendGiven(t, { url, sha256: await sha256(disk) });
  assert.deepEqual((await run(looks)).split('\n'), looked);
  // It has done its work, and is never to do it again.
  assert.equal(await run('cloud-init status'), 'status: disabled');
});

test('I10: machines of RPM packages are lent of a disk that has rpm and dnf', async (t) => {
  const system = { format: 'rpm', codename: 'deb12' } as const;
  const { run } = await lendGiven(t, { file: await cloudDisk(system) }, system);
  assert.deepEqual((await run(looks)).split('\n'), looked);
  assert.match(await run('rpm -q sluice-debian-base'), /^sluice-debian-base-12-/);
  assert.match(await run('systemctl is-active dnf-makecache.timer || :'), /^inactive$/);
});
