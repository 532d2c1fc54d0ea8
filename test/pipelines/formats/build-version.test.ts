import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { must } from '../../../activities/process/run.ts';
import { buildVersion } from '../../../pipelines/formats/deb/build-version.ts';
import { versionRules } from '../../../pipelines/formats/format.ts';
import { buildRelease } from '../../../pipelines/formats/rpm/build-version.ts';

/** What a maintainer may write next, from older to newer: every later one must stay above every build of it. */
const debHistory = ['0.78', '0.78+dfsg', '0.78+nmu1', '0.78.1', '0.79~rc1', '0.79', '0.80', '1:0.1'];
const debRevisions = ['1.0-1', '1.0-1ubuntu1', '1.0-1+deb12u1', '1.0-1.1', '1.0-2', '1.0-1'];
const rpmHistory = ['1', '1.1', '2', '10'];

async function dpkgSays(a: string, relation: 'lt' | 'gt', b: string): Promise<void> {
  await must('dpkg', ['--compare-versions', a, relation, b]);
}

async function rpmCompares(a: string, b: string): Promise<number> {
  return Number((await must('rpm', ['--eval', `%{lua: print(rpm.vercmp("${a}", "${b}"))}`])).stdout);
}

test('each commit raises the version of a DEB build', () => {
  fc.assert(
    fc.property(fc.constantFrom(...debHistory, ...debRevisions), fc.nat(10_000), (version, count) => {
      const [a, b] = [buildVersion(version, count), buildVersion(version, count + 1)];
      assert.equal(versionRules.deb.compareVersions(a, b), -1);
    }),
  );
});

test('dpkg orders DEB builds as their upstream versions, whatever their counts', async () => {
  for (const [i, version] of debHistory.slice(1).entries()) {
    await dpkgSays(buildVersion(debHistory[i] ?? '', 900), 'lt', buildVersion(version, 1));
  }
});

test('dpkg orders DEB builds of one upstream version by their counts, whatever their revisions', async () => {
  for (const [i, version] of debRevisions.slice(1).entries()) {
    await dpkgSays(buildVersion(debRevisions[i] ?? '', i + 1), 'lt', buildVersion(version, i + 2));
  }
});

test("a DEB build is above the archive's own version and its rebuilds, and below the next upstream version", async () => {
  await dpkgSays(buildVersion('0.78', 1), 'gt', '0.78+b1');
  await dpkgSays(buildVersion('1.2-3', 1), 'gt', '1.2-3+deb12u9');
  await dpkgSays(buildVersion('1.2-3', 999), 'lt', '1.3~rc1-1');
});

test('rpm orders RPM builds by release, then by count, above the same release without a count', async () => {
  const release = (text: string, count: number) => buildRelease(text, count).replace('%{?dist}', '.el9');
  for (const [i, text] of rpmHistory.slice(1).entries()) {
    assert.equal(await rpmCompares(`1-${release(rpmHistory[i] ?? '', 900)}`, `1-${release(text, 1)}`), -1, text);
  }
  assert.equal(await rpmCompares(`1-${release('3', 9)}`, `1-${release('3', 10)}`), -1);
  assert.equal(await rpmCompares('1-3.el9', `1-${release('3', 1)}`), -1);
});
