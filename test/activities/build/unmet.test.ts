import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findPair } from '../../../activities/build/apt.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const changelog =
  'needy (1.0) unstable; urgency=low\n\n  * First.\n\n -- Dev <dev@sluice.dev>  Mon, 06 Jan 2025 00:00:00 +0000\n';

async function attempt(name: string, dependencies: string) {
  const repository = await workshop.repository(name);
  const control = `Source: needy\nMaintainer: Dev <dev@sluice.dev>\nBuild-Depends: ${dependencies}\n\nPackage: needy\nArchitecture: all\nDescription: needy\n`;
  const debian = { 'debian/changelog': changelog, 'debian/source/format': '3.0 (native)\n', 'debian/control': control };
  await repository.commit('Import', debian);
  const { result, log } = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(result.result, 'FAILURE', log);
  return result.summary;
}

test('P14: every build dependency that cannot be met is named, virtual ones with a version too', async () => {
  const summary = await attempt('unmet', 'debhelper-compat (= 99), make, no-such-thing-dev,\n zlib1g-dev (>= 99:1)');
  assert.match(summary, /^build dependencies cannot be met: debhelper-compat \(= 99\) \(there is 13, 12, 11/);
  assert.match(summary, /, no-such-thing-dev \(there is no such package\)/);
  assert.match(summary, /, zlib1g-dev \(>= 99:1\) \(there is 1:1\.2\.\S+\)$/);
});

test('P14: build dependencies that exclude one another are both named', async () => {
  const summary = await attempt('apart', 'make, libcurl4-openssl-dev, debhelper-compat (= 13), libcurl4-gnutls-dev');
  const both = 'libcurl4-openssl-dev and libcurl4-gnutls-dev cannot be installed together';
  assert.equal(summary, `build dependencies cannot be met: ${both}`);
});

test('P14: a list that cannot be read is the package’s fault', async () => {
  assert.match(await attempt('unread', 'make zlib1g-dev'), /make zlib1g-dev \(this is no relation\)$/);
});

test('P14: of relations that cannot be met together, two that are in each other’s way are found', async () => {
  const fails = async (some: readonly string[]) => some.includes('b') && some.includes('e');
  assert.deepEqual(await findPair(['a', 'b', 'c', 'd', 'e', 'f'], fails), ['b', 'e']);
  assert.deepEqual(await findPair(['e', 'b'], fails), ['e', 'b']);
  assert.equal(await findPair(['a', 'b'], fails), null);
});
