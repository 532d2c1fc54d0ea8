import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { temporary } from '../../activities/repository/packages.ts';

const systemctl = '/usr/bin/systemctl';
const recipe = new URL('../../../infra/images/scripts/rpm-minimal.sh', import.meta.url);

test('a unit is enabled by a preset alone', { skip: !existsSync(systemctl) }, async (t) => {
  const root = await temporary(t);
  const own = '/usr/lib/systemd/system-preset';
  const [units, presets] = [join(root, 'usr/lib/systemd/system'), join(root, own)];
  await mkdir(units, { recursive: true });
  await writeFile(join(units, 'a.service'), '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n');
  const isEnabled = async () => {
    await must(systemctl, [`--root=${root}`, 'preset', 'a.service']);
    const link = join(root, 'etc/systemd/system/multi-user.target.wants/a.service');
    return lstat(link).then(
      () => true,
      () => false,
    );
  };
  assert.equal(await isEnabled(), true, 'as Debian has it');
  const lines = (await readFile(recipe, 'utf8'))
    .split('\n')
    .filter((line) => /^(mkdir|printf) .*system-preset/.test(line));
  await must('sh', ['-eu', '-c', lines.join('\n').replaceAll(own, presets)]);
  assert.equal(await isEnabled(), false);
  await writeFile(join(presets, '50-a.preset'), 'enable a.service\n');
  assert.equal(await isEnabled(), true);
});

test('scriptlets ask systemd for their units where it is, and nobody where it is not', async (t) => {
  const work = await temporary(t);
  const [, macros = ''] = /<<'MACROS'\n(.*?)^MACROS$/ms.exec(await readFile(recipe, 'utf8')) ?? [];
  const file = join(work, 'macros');
  await writeFile(file, macros);
  const program = join(work, 'systemctl');
  await writeFile(program, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const run = async (macro: string, left: number, asked: string) => {
    const { stdout } = await must('rpm', ['--macros', file, '--eval', `%${macro} a.service b.timer`]);
    const scriptlet = stdout.replaceAll(systemctl, asked).replaceAll(/(?<!\S)systemctl/g, asked);
    return (await must('sh', ['-eu', '-c', scriptlet, 'scriptlet', `${left}`])).stdout.trim().split('\n');
  };
  const rows: readonly [macro: string, left: number, said: readonly string[]][] = [
    ['systemd_post', 1, ['--no-reload preset a.service b.timer']],
    ['systemd_post', 2, ['']],
    ['systemd_preun', 1, ['']],
    ['systemd_preun', 0, ['--no-reload disable --now a.service b.timer']],
    ['systemd_postun', 0, ['daemon-reload']],
    ['systemd_postun_with_restart', 1, ['daemon-reload', 'try-restart a.service b.timer']],
    ['systemd_postun_with_restart', 0, ['daemon-reload']],
  ];
  for (const [macro, left, said] of rows) {
    assert.deepEqual(await run(macro, left, program), said, `${macro} ${left}`);
    assert.deepEqual(await run(macro, left, join(work, 'none')), [''], `${macro} ${left} without systemd`);
  }
});
