import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRoom } from '../../../activities/build/room.ts';
import { reasonsIn, unmetOf, unprovided } from '../../../activities/build/rpm/unmet-requirements.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { withLease } from '../../../activities/nodes/with-lease.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms, shippedPlatforms } from '../../../infra/images/platforms.ts';

test('P14: a requirement with alternatives is unmet when no alternative is whole', () => {
  const provided = (text: string) => ['a', 'b'].includes(text);
  const wanted = ['a', 'c', '(c or a)', '(a and c)', '(c or (a and b))', '(c if a)'];
  assert.deepEqual(unmetOf(wanted, provided), ['c', '(a and c)']);
});

test('P14: dnf’s reasons are found in its words, of version 4 and of version 5', () => {
  const four = `Error:
 Problem: conflicting requests
  - nothing provides nowhere needed by chain-1-1.noarch
(try to add '--skip-broken' to skip uninstallable packages)`;
  assert.equal(reasonsIn(four), 'nothing provides nowhere needed by chain-1-1.noarch');
  const apart = `Error:
 Problem: package cone-1-1.noarch conflicts with ctwo provided by ctwo-1-1.noarch
  - conflicting requests`;
  assert.equal(reasonsIn(apart), 'package cone-1-1.noarch conflicts with ctwo provided by ctwo-1-1.noarch');
  const five = `Failed to resolve the transaction:
Problem: conflicting requests
  - nothing provides nowhere needed by chain-1-1.noarch from l`;
  assert.equal(reasonsIn(five), 'nothing provides nowhere needed by chain-1-1.noarch from l');
});

/** A repository with one package, in the container itself. */
const furnish = `set -e
mkdir -p /tmp/r
printf 'Name: good\\nVersion: 1\\nRelease: 1\\nSummary: a\\nLicense: MIT\\nBuildArch: noarch\\nProvides: thing = 2\\n%%description\\na\\n%%files\\n' > /tmp/good.spec
rpmbuild -bb --define '_rpmdir /tmp/r' --define '_topdir /tmp/t' /tmp/good.spec
createrepo_c --quiet /tmp/r
printf '[l]\\nname=l\\nbaseurl=file:///tmp/r\\ngpgcheck=0\\n' > /etc/yum.repos.d/l.repo`;

test('P14: dnf is asked which requirements nothing provides, and says nothing when a repository cannot be read', async () => {
  await ensureImages(shippedPlatforms, () => {});
  const platform = builtInPlatforms.find(({ name }) => name === 'rpm-debian-12');
  assert.ok(platform);
  const workdir = await mkdtemp(join(tmpdir(), 'unmet-'));
  const log = { write: () => {}, section: () => {}, close: () => Promise.reject(new Error('not here')) };
  const signal = AbortSignal.timeout(300_000);
  const context = { signal, cancellation: signal, log, workdir, heartbeat: () => {} };
  try {
    await withLease(openProvider('docker'), { build: `test-unmet-${process.pid}` }, async (lease) => {
      const room = await openRoom(platform, { ...context, lease });
      const made = await room.root(['sh', '-c', furnish]);
      assert.equal(made.code, 0, made.output);
      const wanted = ['nosuch >= 3', 'good', 'thing >= 3', 'thing >= 2', '(nosuch or good)', '/no/such/file'];
      assert.deepEqual(await unprovided(wanted, room), ['nosuch >= 3', 'thing >= 3', '/no/such/file']);
      const away =
        "printf '[m]\\nname=m\\nbaseurl=file:///nowhere\\nskip_if_unavailable=1\\n' > /etc/yum.repos.d/m.repo";
      await room.root(['sh', '-c', away]);
      assert.equal(await unprovided(wanted, room), null);
      return {};
    });
  } finally {
    await rm(workdir, { recursive: true });
  }
});
