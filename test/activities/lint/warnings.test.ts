import assert from 'node:assert/strict';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { lintFiles } from '../../../activities/lint/stage.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { withLease } from '../../../activities/nodes/with-lease.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { LintReport } from '../../../pipelines/model/lint.ts';
import { openWorkshop, type Workshop } from '../build/workshop.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const paragraph = (name: string, more: string) => `\nPackage: ${name}\n${more}Description: warned of\n It is.\n`;
const control = (paragraphs: string) =>
  `Source: warned\nSection: misc\nPriority: optional\nMaintainer: Dev <dev@sluice.dev>\nBuild-Depends: debhelper-compat (= 13)\nStandards-Version: 4.6.2\n${paragraphs}`;
const tree = {
  'warned.c': '#include <stdio.h>\nint main(void) { return puts("warned") < 0; }\n',
  'debian/changelog':
    'warned (1.0) unstable; urgency=low\n\n  * First.\n\n -- Dev <dev@sluice.dev>  Mon, 06 Jan 2025 00:00:00 +0000\n',
  'debian/source/format': '3.0 (native)\n',
  'debian/rules': `#!/usr/bin/make -f
%:
	dh $@
override_dh_auto_build:
	gcc -g -O2 -o warned warned.c
override_dh_auto_install:
	install -D warned debian/warned/usr/bin/warned
`,
  'debian/control': control(
    paragraph('warned', 'Architecture: any\n') +
      paragraph('warned-data', `Architecture: all\nDepends: \${misc:Depends}, warned-\${no:Such}\n`),
  ),
};

async function lint(built: string, released: string): Promise<LintReport> {
  const platform = builtInPlatforms.find(({ name }) => name === 'debian-12');
  assert.ok(platform);
  const workdir = await mkdtemp(join(workshop.root, 'lint-'));
  const log = { write: () => {}, section: () => {}, close: () => Promise.reject(new Error('not here')) };
  const signal = AbortSignal.timeout(300_000);
  const context = { signal, cancellation: signal, log, workdir, heartbeat: () => {} };
  return withLease(openProvider('docker'), { build: `test-lint-${process.pid}` }, (lease) =>
    lintFiles({ platform, folder: built, released, context: { ...context, lease } }),
  );
}

const ours = ({ remarks }: LintReport) =>
  remarks
    .filter(({ tag, severity }) => tag.endsWith('substitution-variable') && severity === 'error')
    .map((remark) => `${remark.new ? 'new' : 'known'} ${remark.package} ${/: ([^:]+)$/.exec(remark.detail)?.[1]}`);

test('P16: what dpkg only warns of fails a change unless the released version has it as well', async () => {
  const repository = await workshop.repository('warned');
  await repository.commit('Import', tree);
  const first = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(first.result.result, 'SUCCESS', first.log);
  const name = 'warned_1.0+c1.dpkg-warnings';
  assert.equal(first.manifest?.files.find((file) => file.name === name)?.kind, 'metadata', first.log);
  const nothing = join(workshop.root, 'nothing');
  await mkdir(nothing);
  assert.deepEqual(ours(await lint(first.out, nothing)).sort(), [
    'new warned the package does not depend on libc6',
    'new warned-data leaves "warned-"',
  ]);
  assert.deepEqual(ours(await lint(first.out, first.out)).sort(), [
    'known warned the package does not depend on libc6',
    'known warned-data leaves "warned-"',
  ]);
  const more = tree['debian/control'].replace(`warned-\${no:Such}`, `warned-\${no:Such}, other-\${no:Such}`);
  const accepted = `warned: unused-substitution-variable *not depend on libc6\nwarned-data: undefined-*\n`;
  await repository.commit('Change', { 'debian/control': more, 'debian/dpkg-overrides': accepted });
  const second = await workshop.build(repository, { platform: 'debian-12' });
  const report = await lint(second.out, first.out);
  assert.deepEqual(ours(report), ['new warned-data leaves "warned-", "other-"']);
  const told = report.remarks.filter(({ package: name, tag }) => name === 'source' && tag.endsWith('-dpkg-override'));
  assert.deepEqual(
    told.map(({ tag, severity }) => [tag, severity]),
    [['malformed-dpkg-override', 'error']],
  );
});
