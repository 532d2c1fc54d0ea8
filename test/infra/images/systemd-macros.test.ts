import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { temporary } from '../../activities/repository/packages.ts';

const recipe = new URL('../../../infra/images/scripts/rpm-minimal.sh', import.meta.url);

test('scriptlets ask systemd for their units where it is, and nobody where it is not', async (t) => {
  const work = await temporary(t);
  const [, macros = ''] = /<<'MACROS'\n(.*?)^MACROS$/ms.exec(await readFile(recipe, 'utf8')) ?? [];
  const file = join(work, 'macros');
  await writeFile(file, macros);
  const program = join(work, 'systemctl');
  await writeFile(program, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const run = async (macro: string, left: number, systemctl: string) => {
    const { stdout } = await must('rpm', ['--macros', file, '--eval', `%${macro} a.service b.timer`]);
    const scriptlet = stdout.replaceAll('/usr/bin/systemctl', systemctl).replaceAll(/(?<!\S)systemctl/g, systemctl);
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
