import assert from 'node:assert/strict';
import { appendFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { readControl } from '../../../activities/repository/deb/control-file.ts';
import { makePackage, temporary } from './packages.ts';

test('the control file of a package is what dpkg-deb says of it', async (t) => {
  const directory = await temporary(t);
  for (const name of ['alpha', 'beta']) {
    const file = await makePackage('deb', directory, { name, version: '1:2-3' });
    assert.equal(await readControl(file), (await must('dpkg-deb', ['--field', '--', file])).stdout);
  }
  const broken = join(directory, 'broken.deb');
  await writeFile(broken, 'nothing');
  await assert.rejects(readControl(broken), /not a Debian format archive|unexpected end of file/);
});

test('S1: a package with two control files, none, or a link in its place is refused: programs would read different ones', async (t) => {
  const directory = await temporary(t);
  const file = await makePackage('deb', directory, { name: 'alpha', version: '1' });
  const inside = { cwd: directory };
  const control = `Package: other\nVersion: 9\nArchitecture: all\n`;
  const pack = async (prepare: () => Promise<unknown>, names: readonly string[]) => {
    await rm(join(directory, 'control'), { force: true });
    await prepare();
    await rm(join(directory, 'control.tar'), { force: true });
    for (const name of names) await must('tar', ['rf', 'control.tar', name], inside);
    const odd = join(directory, 'odd.deb');
    await must('cp', [file, odd]);
    const { stdout } = await must('ar', ['t', odd]);
    const [, old = '', data = ''] = stdout.split('\n');
    await must('ar', ['x', odd], inside);
    await rm(odd);
    await must('ar', ['rcD', odd, 'debian-binary', 'control.tar', data], inside);
    await rm(join(directory, old), { force: true });
    return odd;
  };
  const plain = () => writeFile(join(directory, 'control'), control);
  assert.match(await readControl(await pack(plain, ['./control'])), /^Package: other/);
  await appendFile(join(directory, 'other'), 'x');
  for (const [prepare, names, says] of [
    [plain, ['./control', 'control'], /has 2 control files/],
    [plain, ['other'], /has 0 control files/],
    [() => symlink('other', join(directory, 'control')), ['./control'], /is no regular file/],
  ] as const) {
    await assert.rejects(pack(prepare, names).then(readControl), says);
  }
});
