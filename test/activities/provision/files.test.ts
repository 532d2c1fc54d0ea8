import assert from 'node:assert/strict';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { provisionDigest, provisionFaults } from '../../../activities/provision/files.ts';
import { requireProvisioning } from '../../../infra/compose/provisioning.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { temporary } from '../repository/packages.ts';

async function world(t: TestContext) {
  const root = await temporary(t);
  const directory = join(root, 'lab');
  await mkdir(join(directory, 'roles'), { recursive: true });
  await writeFile(join(directory, 'tools.sh'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(directory, 'site.yaml'), '[]\n');
  return { root, directory, provision: { directory, run: ['tools.sh', 'site.yaml'], timeout: 60 } };
}

test('I10: any change of what is run, or of what is beside it, is another digest', async (t) => {
  const { directory, provision } = await world(t);
  const seen = [await provisionDigest(provision)];
  const changed = async (what: string) => {
    const digest = await provisionDigest(provision);
    assert.ok(!seen.includes(digest), what);
    seen.push(digest);
  };
  await writeFile(join(directory, 'tools.sh'), '#!/bin/sh\necho more\n');
  await changed('a script');
  await writeFile(join(directory, 'roles/main.yaml'), '');
  await changed('a file beside it');
  await chmod(join(directory, 'roles/main.yaml'), 0o755);
  await changed('its mode');
  await symlink('tools.sh', join(directory, 'link'));
  await changed('a link');
  assert.notEqual(await provisionDigest({ ...provision, run: ['site.yaml', 'tools.sh'] }), seen.at(-1), 'the order');
  assert.equal(await provisionDigest({ ...provision, timeout: 1 }), seen.at(-1), 'how long it may take is no change');
  await rm(join(directory, 'link'));
  assert.equal(await provisionDigest(provision), seen.at(-2), 'as before');
});

test('I10: what would be run and is not there is said at its place in the file', async (t) => {
  const { root, directory, provision } = await world(t);
  await chmod(join(directory, 'tools.sh'), 0o644);
  const run = 'run: [tools.sh, site.yaml, none.sh]';
  await writeFile(
    join(root, 'sluice.yaml'),
    `platforms:
  a: { format: deb, codename: bookworm, provider: vm, provision: { directory: lab, ${run} } }
  b: { format: deb, codename: bookworm, provider: vm, provision: { directory: lib, ${run} } }
  c: { format: deb, codename: bookworm, provider: vm, image: { iso: { file: i, answers: told } } }
`,
  );
  await assert.rejects(requireProvisioning(loadConfig({ directory: root })), (error: Error) => {
    assert.equal(error.name, 'InvalidConfiguration');
    const file = join(root, 'sluice.yaml');
    assert.deepEqual(error.message.split('\n'), [
      `${file}:2:90: platforms.a.provision.run.0: tools.sh is not executable: chmod +x ${directory}/tools.sh`,
      `${file}:2:111: platforms.a.provision.run.2: there is no file none.sh in ${directory}`,
      `${file}:3:79: platforms.b.provision.directory: there is no directory ${root}/lib`,
      `${file}:4:89: platforms.c.image.iso.answers: the answers ${root}/told cannot be read: ENOENT: no such file or directory`,
    ]);
    return true;
  });
  await assert.rejects(provisionDigest(provision), { type: 'Configuration', message: /^tools\.sh is not executable/ });
  await chmod(join(directory, 'tools.sh'), 0o755);
  assert.deepEqual(await provisionFaults(provision), []);
});
