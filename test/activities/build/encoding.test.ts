import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { firstNotUtf8 } from '../../../activities/build/rpm/encoding.ts';
import { must } from '../../../activities/process/run.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const spec = (first = '') =>
  `${first}Name: old\nVersion: 1\nRelease: 1\nSummary: Old\nLicense: MIT\nBuildArch: noarch\n\n%description\nOld.\n\n%files\n\n%changelog\n* Thu Jan 01 2015 D\xe9v <dev@example.org> - 0.9-1\n- Caf\xe9.\n`;

async function build(name: string, text: string) {
  const repository = await workshop.repository(name);
  await writeFile(join(repository.path, 'old.spec'), Buffer.from(text, 'latin1'));
  await repository.commit('Import', {});
  return workshop.build(repository, { platform: 'rpm-debian-12' });
}

test('P7: a spec that is not UTF-8 is refused with its line, as rpm takes nothing else', async () => {
  const { result, log } = await build('refused', spec());
  assert.equal(result.result, 'FAILURE', log);
  assert.equal(result.summary, 'old.spec:14: this is not UTF-8, and rpm takes nothing else: convert the line');
});

test('P7: where a spec itself allows them, bytes that are not UTF-8 stay as they are', async () => {
  const { result, out, log } = await build('kept', spec('%global _invalid_encoding_terminates_build 0\n'));
  assert.equal(result.result, 'SUCCESS', log);
  const unpack = 'rpm2archive - < old-1-1.deb12.1.src.rpm | tar --extract --gzip';
  await must('sh', ['-c', unpack], { cwd: out });
  const { stdout } = await must('grep', ['--text', '-c', '-P', 'D\\xe9v', 'old.spec'], {
    cwd: out,
    env: { LC_ALL: 'C' },
  });
  assert.equal(stdout.trim(), '1');
});

test('P7: the first line that is not UTF-8 is found', () => {
  assert.equal(firstNotUtf8('a\nCaf\xc3\xa9\n'), null);
  assert.equal(firstNotUtf8('a\nCaf\xc3\xa9\nCaf\xe9\n\xff'), 3);
});
