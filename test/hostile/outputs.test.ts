import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openWorkshop, type Workshop } from '../activities/build/workshop.ts';
import { hostileSource } from './package.ts';

let workshop: Workshop;
let canary: string;
const secret = 'nothing for strangers';

before(async () => {
  workshop = await openWorkshop();
  canary = join(workshop.root, 'canary');
  await writeFile(canary, secret, { mode: 0o600 });
});
after(() => workshop.close());

async function play(name: string, script: string, limits = {}) {
  const repository = await hostileSource(workshop, { name, script });
  return workshop.build(repository, { platform: 'debian-12', limits });
}

/** fakeroot ends what it watches over. */
const behind = (script: string) => `env -u LD_PRELOAD setsid sh -c '${script}' </dev/null >/dev/null 2>&1 &\n`;

test('R1: a process that stays behind and puts a link in the place of an output gets nothing of the host', async () => {
  const swap = `while :; do ln -sfn ${canary} $TOP/swapper.new; mv -fT $TOP/swapper.new $TOP/swapper_1.0+c1_amd64.buildinfo; done`;
  const built = await play('swapper', `${behind(swap)}sleep 1\n`);
  for (const { name, digest } of built.manifest?.files ?? []) {
    assert.doesNotMatch((await workshop.store.read(digest)).toString('latin1'), new RegExp(secret), name);
  }
  assert.doesNotMatch(built.log, new RegExp(secret));
  const names = (built.manifest?.files ?? []).map(({ name }) => name);
  assert.ok(!names.some((name) => name.endsWith('.buildinfo')), `the link is none of the outputs: ${names}`);
});

test('R1: an output that still grows is taken when nobody writes to it any more', async () => {
  const grow = 'cd $TOP; while :; do head -c 4096 /dev/zero >> grower_1.0+c1_all.deb; done';
  const built = await play('grower', `${behind(grow)}sleep 0.5\n`);
  const [file] = (built.manifest?.files ?? []).filter(({ kind }) => kind === 'binary');
  assert.ok(file, built.result.summary);
  assert.equal((await readFile(join(built.out, file.name))).length, file.size);
});

test('R1: two names of one file, a pipe and a link are no outputs', async () => {
  const linked = await play('linked', 'ln $TOP/linked_1.0+c1_all.deb $TOP/other.deb\n');
  assert.equal(linked.result.result, 'FAILURE');
  assert.match(linked.result.summary, /is a hard link: only regular files are taken/);
  const odd = await play('pipes', `mkfifo $TOP/a.deb; ln -s ${canary} $TOP/b.deb; ln -s / $TOP/c.deb\n`);
  assert.equal(odd.result.result, 'SUCCESS', odd.result.summary);
  assert.deepEqual(
    odd.manifest?.files.filter(({ kind }) => kind === 'binary').map(({ name }) => name),
    ['pipes_1.0+c1_all.deb'],
  );
});

test('R1: odd names, too many files and too many bytes are refused with the limit and its setting', async () => {
  const odd = await play('odd-names', 'touch "$TOP/a b;.deb"\n');
  assert.match(odd.result.summary, /unusable name: "a b;\.deb"/);
  const long = await play('long-names', 'touch $TOP/$(printf %0240d 1)\n');
  assert.match(long.result.summary, /unusable name/);
  const many = await play('many-files', 'cd $TOP; seq 1000 2000 | xargs touch\n', { files: 500 });
  assert.match(many.result.summary, /more than 500 files \(the platform's limits\.files\)/);
  const sparse = await play('sparse', 'truncate -s 100G $TOP/sparse.tar\n');
  assert.match(sparse.result.summary, /more than 4096 MiB \(the platform's limits\.diskMiB\)/);
});

test('R1: settings that a build leaves in its home run nothing as root, and nothing when packages are described', async () => {
  const macros = '%_dbpath %(id -u >> /tmp/ran-as; echo /var/lib/rpm)';
  const built = await play(
    'macros',
    `echo '${macros}' > $HOME/.rpmmacros; mkdir -p $HOME/.config/rpm; cp $HOME/.rpmmacros $HOME/.config/rpm/macros\n`,
  );
  assert.equal(built.result.result, 'SUCCESS', built.result.summary);
});
