import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifySigned } from '../../../activities/keys/verify.ts';
import { unsigned } from '../../../activities/repository/rpm/signed.ts';
import { openArchiveKeys, proveKeys } from '../../../activities/sign/archive-keys.ts';
import { createArchiveSigner } from '../../../activities/sign/gpg.ts';
import { exportPublicKey } from '../../../activities/sign/key.ts';
import { KeyAway, KeyRefused } from '../../../activities/sign/signing-key/port.ts';
import { startSshServer } from '../mirror/sshd.ts';
import { makePackage, temporary } from '../repository/packages.ts';
import { gnupgHome } from './places.ts';

/** What runs on the other machine, as the documentation has it. */
async function documentedProgram(): Promise<string> {
  const page = await readFile(new URL('../../../docs/signing.md', import.meta.url), 'utf8');
  const [, script = ''] = /```sh\n( *#!\/bin\/sh\n *set -- \$SSH_ORIGINAL_COMMAND\n[\s\S]*?)```/.exec(page) ?? [];
  return script.replace(/^ +/gm, '');
}

test('a key on another machine signs through ssh and the forced command of docs/signing.md, and is waited for while that is away', async (t) => {
  const work = await temporary(t);
  const { home, fingerprint } = await gnupgHome(t, join(work, 'far'));
  const program = join(work, 'sign-archive');
  await writeFile(program, await documentedProgram(), { mode: 0o755 });
  const place = join(work, 'sshd');
  await mkdir(place);
  const server = await startSshServer(place);
  let up = true;
  const stop = async () => {
    if (up) await server.stop();
    up = false;
  };
  t.after(stop);
  const login = (await readFile(`${server.identity}.pub`, 'utf8')).trim();
  await writeFile(`${server.identity}.pub`, `command="GNUPGHOME=${home} ${program}",restrict ${login}\n`);
  const shown = join(work, 'archive.asc');
  await writeFile(shown, await exportPublicKey({ home, key: fingerprint }));
  const run = [
    ...['/usr/bin/ssh', '-oBatchMode=yes', '-oConnectTimeout=10', `-oUserKnownHostsFile="${server.knownHosts}"`],
    ...[`-i${server.identity}`, '-p', String(server.port), 'root@127.0.0.1'],
  ];
  const given = { kind: 'program', run, fingerprint, public: shown, timeout: 60 } as const;
  const { keys } = await openArchiveKeys(join(work, 'signer'), { sign: [given], former: [] });
  t.after(keys.close);
  assert.deepEqual(await proveKeys(keys), []);
  const signer = createArchiveSigner(keys);
  const text = 'Origin: Sluice\n- a line with a dash\n';
  const signature = await signer.detach(text);
  assert.equal((await verifySigned(await keys.publicKey(), { signature, text }))?.length, 1);
  const rpm = await makePackage('rpm', work, { name: 'alpha', version: '1' });
  await signer.package(rpm);
  assert.deepEqual(await unsigned([rpm], await keys.publicKey()), []);

  // The forced command signs, and does nothing else.
  const other = { ...given, run: [...run, 'cat', '/etc/passwd'] };
  const { keys: wrong } = await openArchiveKeys(join(work, 'signer'), { sign: [other], former: [] });
  await assert.rejects(createArchiveSigner(wrong).detach(text), (error) => {
    assert.ok(error instanceof KeyRefused && !(error instanceof KeyAway), String(error));
    assert.match(error.message, /^\/usr\/bin\/ssh does not sign with [0-9A-F]{40}: it ended with 77/);
    return true;
  });
  await stop();
  await assert.rejects(signer.detach(text), (error) => {
    assert.ok(error instanceof KeyAway, String(error));
    assert.match(error.message, /^\/usr\/bin\/ssh cannot sign with [0-9A-F]{40} now: .*Connection refused/);
    return true;
  });
});
