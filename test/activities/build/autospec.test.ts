import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { type Built, openWorkshop, type Workshop } from './workshop.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const spec = (version: string, release = '%autorelease', changelog = '%autochangelog') =>
  `Name: auto\nVersion: ${version}\nRelease: ${release}\nSummary: Auto\nLicense: MIT\nBuildArch: noarch\n\n%description\nAuto.\n\n%files\n\n%changelog\n${changelog}\n`;

async function changelogOf({ out, manifest }: Built): Promise<string> {
  const source = manifest?.files.find(({ name }) => name.endsWith('.src.rpm'))?.name ?? '';
  return (await must('rpm', ['-qp', '--nosignature', '--changelog', join(out, source)])).stdout;
}

test('P9: release and changelog of a spec come from the history of its commit', async () => {
  const repository = await workshop.repository('auto');
  await repository.commit('Import 0.9', { 'auto.spec': spec('0.9') });
  await repository.commit('Update to 1.0', { 'auto.spec': spec('1.0') });
  await repository.commit('Fix 100% of it\n\n- one thing', { a: 'a' });
  await repository.commit('Tidy up\n\n[skip changelog]', { a: 'b' });
  const third = await workshop.build(repository, { platform: 'rpm-debian-12' });
  assert.equal(third.result.summary, 'auto 1.0-3.deb12: 1 package', third.log);
  const log = await changelogOf(third);
  assert.match(log, /^\* .* Dev Eloper <dev@sluice\.dev> - 1\.0-2\n- Fix 100% of it\n- one thing\n/);
  assert.match(log, / - 1\.0-1\n- Update to 1\.0\n[\s\S]* - 0\.9-1\n- Import 0\.9\n/);
  assert.doesNotMatch(log, /Tidy/);
  const old = '* Wed Jan 01 2020 Old <old@example.org> - 0.8-7\n- By hand.\n';
  await repository.commit('Start the changelog anew', { changelog: old });
  await repository.commit('Rename', { 'auto.spec': null, 'rpm/auto.spec': spec('1.0', '%autorelease -b 10 -e rc1') });
  await repository.git('mv', 'changelog', 'rpm/changelog');
  await repository.commit('Move', {});
  const later = await workshop.build(repository, { platform: 'rpm-debian-12' });
  assert.equal(later.result.summary, 'auto 1.0-15.rc1.deb12: 1 package', later.log);
  assert.equal(await changelogOf(later), `${old}\n`);
});

test('P9: a spec that leaves only its release to the history keeps its changelog', async () => {
  const repository = await workshop.repository('half');
  const old = '* Wed Jan 01 2020 Old <old@example.org> - 0.8-7\n- By hand.';
  await repository.commit('Import', { 'auto.spec': spec('1.0', '%autorelease', old) });
  const built = await workshop.build(repository, { platform: 'rpm-debian-12' });
  assert.equal(built.result.summary, 'auto 1.0-1.deb12: 1 package', built.log);
  assert.match(await changelogOf(built), /^\* .* - 1\.0-1\n- [0-9a-f]{12} Import \[Dev Eloper\]\n\n\* Wed Jan 01 2020/);
});
