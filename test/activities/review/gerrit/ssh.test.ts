import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCommand } from '../../../../activities/review/gerrit/ssh.ts';
import { scratch } from '../../git/repository.ts';

test('a file that is not there is told with its key and what to put there', async (t) => {
  const directory = await scratch(t);
  const [identity, knownHosts] = [join(directory, 'id'), join(directory, 'known')];
  const open = () => openCommand({ ssh: 'ssh://s@127.0.0.1:9', identity, knownHosts }, 'gerrit version');
  await assert.rejects(open(), (error: Error) => {
    const says = `${knownHosts}, which \`knownHosts\` names, cannot be read: ENOENT: no such file or directory: put the host's key there`;
    return error.message.startsWith(says);
  });
  await writeFile(knownHosts, `[127.0.0.1]:9 ssh-ed25519 ${'A'.repeat(68)}\n`);
  await assert.rejects(
    open(),
    /\/id, which `identity` names, cannot be read: ENOENT: [^:]+: put the private key there/,
  );
});
