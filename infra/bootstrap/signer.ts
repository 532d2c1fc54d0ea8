import { readFileSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { runInTerminal } from '../../activities/process/in-terminal.ts';
import { findProgram } from './find.ts';
import type { Step } from './step.ts';

/** The Unix user that alone can read the signing key. */
const signerName = 'sluice-signer';

export interface UnixUser {
  readonly uid: number;
  readonly gid: number;
}

/** The signer's user; undefined when the machine has none. */
export function findSigner(): UnixUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${signerName}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** Gives files that their owner alone may read to the signer's user, where it is another one: it asks hosts for itself. */
export async function showToSigner(files: readonly string[]): Promise<void> {
  const user = process.getuid?.() === 0 ? findSigner() : undefined;
  if (user !== undefined) for (const file of files) await chown(file, user.uid, user.gid);
}

/** Only an administrator can start a process as another user: for others the signer runs as themselves. */
export function signerUser(): Step {
  return {
    name: `user ${signerName}`,
    why: 'a process of its own signs packages: nothing else can read the key',
    async check() {
      if (findSigner() !== undefined) return [];
      const mend = `useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${signerName}`;
      return process.getuid?.() === 0 ? [{ missing: `user ${signerName}`, part: 'signing', mend }] : [];
    },
    async act([finding], report) {
      const [program = '', ...args] = finding?.mend.split(' ') ?? [];
      await runInTerminal([findProgram(program) ?? program, ...args], report);
    },
  };
}
