import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lintFiles } from '../../../activities/lint/stage.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { withLease } from '../../../activities/nodes/with-lease.ts';
import { oldReadersIn } from '../../../activities/sign/signing-key/rpmsign.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms, shippedPlatforms } from '../../../infra/images/platforms.ts';
import { makePackage } from '../repository/packages.ts';

async function lint(format: 'deb' | 'rpm', files: Readonly<Record<string, Uint8Array | null>>) {
  await ensureImages(shippedPlatforms, () => {});
  const root = await mkdtemp(join(tmpdir(), 'unread-'));
  try {
    const [folder, released, workdir] = ['built', 'released', 'work'].map((name) => join(root, name));
    if (folder === undefined || released === undefined || workdir === undefined) throw new Error('never');
    for (const each of [folder, released, workdir]) await mkdir(each);
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      if (content !== null) await writeFile(path, content);
      else await copyFile(await makePackage(format, root, { name: 'good', version: '1-1' }), path);
    }
    const platform = builtInPlatforms.find((each) => each.format === format);
    assert.ok(platform);
    const log = { write: () => {}, section: () => {}, close: () => Promise.reject(new Error('not here')) };
    const signal = AbortSignal.timeout(300_000);
    const context = { signal, cancellation: signal, log, workdir, heartbeat: () => {} };
    const report = await withLease(openProvider('docker'), { build: `test-unread-${process.pid}` }, (lease) =>
      lintFiles({ platform, folder, released, context: { ...context, lease } }),
    );
    return report.remarks;
  } finally {
    await rm(root, { recursive: true });
  }
}

test('P15: every RPM package is accounted for: those that cannot be read, and those beside them', async () => {
  const six = Buffer.concat([Buffer.from([0xed, 0xab, 0xee, 0xdb, 4, 0]), Buffer.alloc(200)]);
  const remarks = await lint('rpm', {
    'a-1-1.noarch.rpm': Buffer.from('none'),
    'b-1-1.noarch.rpm': six,
    'c.rpm': null,
  });
  const unread = remarks.filter(({ tag }) => tag === 'cannot-be-read');
  assert.deepEqual(unread.map((remark) => remark.package).sort(), ['a-1-1.noarch.rpm', 'b-1-1.noarch.rpm']);
  assert.ok(unread.every((remark) => remark.new && remark.severity === 'error'));
  assert.ok(
    remarks.some((remark) => remark.package.startsWith('good')),
    'the readable one is checked',
  );
  const detail = unread.find((remark) => remark.package.startsWith('b'))?.detail ?? '';
  assert.match(detail, /^it is of RPM format 6, .* %_rpmformat 4/, 'K6: refused by name');
});

test('P15: every DEB package is accounted for', async () => {
  const remarks = await lint('deb', { 'a_1-1_all.deb': Buffer.from('none'), 'good_1-1_all.deb': null });
  assert.deepEqual(
    remarks.filter(({ tag }) => tag === 'cannot-be-read').map((remark) => remark.package),
    ['a_1-1_all.deb'],
  );
  assert.ok(remarks.some((remark) => remark.package === 'good'));
});

test('K6: rpmsign of rpm 6 is asked for signatures that rpm 4 sees; an older one knows no others', () => {
  const six = '  --addsign\n      --rpmv4                      request legacy rpm v4 header signatures on\n';
  assert.deepEqual(oldReadersIn(six), ['--rpmv4']);
  assert.deepEqual(oldReadersIn('  --addsign                        sign package(s)\n  --resign\n'), []);
});
