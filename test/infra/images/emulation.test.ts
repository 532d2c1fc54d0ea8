import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type Docker from 'dockerode';
import { hostArch } from '../../../activities/host-arch.ts';
import { findEmulation, whyNotHere } from '../../../infra/images/emulation.ts';
import { imagesOnNeed } from '../../../infra/images/on-need.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { debianName, rpmName } from '../../../pipelines/model/architecture.ts';
import { temporary } from '../../activities/repository/packages.ts';

const [own = assert.fail()] = builtInPlatforms;
const foreign = builtInPlatforms.find(({ primary }) => primary === own.name) ?? assert.fail();
const arch = debianName(foreign.arch);
const entry = (state: string, flags: string) =>
  `${state}\ninterpreter /usr/libexec/qemu-binfmt/x\nflags: ${flags}\noffset 0\nmagic 7f45\nmask ff00\n`;

const rows: readonly [says: string, entry: string | null, why: RegExp | null][] = [
  ['the kernel runs them in containers, too', entry('enabled', 'PF'), null],
  ['nobody runs them', null, /and no qemu-user runs its programs: \.\/sluice doctor --mend$/],
  ['what runs them is switched off', entry('disabled', 'PF'), /and no qemu-user runs its programs/],
  [
    'only programs outside of containers find the emulator',
    entry('enabled', 'P'),
    /outside of containers alone \(.* no flag F\)/,
  ],
];

for (const [says, text, why] of rows) {
  test(`a platform of another architecture is refused by name unless its programs run: ${says}`, async (t) => {
    const directory = await temporary(t);
    if (text !== null) await writeFile(join(directory, `qemu-${rpmName(arch)}`), text);
    const reason = await whyNotHere(foreign, directory);
    if (why === null) assert.equal(reason, null);
    else {
      assert.match(reason ?? '', why);
      assert.ok(reason?.startsWith(`${foreign.name} is for ${arch}, this machine is ${hostArch()}, `), reason ?? '');
    }
    assert.equal(await whyNotHere(own, directory), null);
    assert.equal((await findEmulation(arch, directory)) === 'runs', why === null);
  });
}

test('no image is made, and no container started, of a platform whose programs do not run', async () => {
  const engine = { getImage: () => assert.fail('nobody asks for it') } as unknown as Docker;
  const prepare = imagesOnNeed(
    () => {},
    engine,
    () => assert.fail('not made'),
    async ({ name }) => `${name} does not run`,
  );
  await assert.rejects(prepare(foreign), { message: `${foreign.name} does not run` });
});
