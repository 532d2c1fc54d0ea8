import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkout, findProgram } from '../bootstrap/find.ts';
import { findSigner, type UnixUser } from '../bootstrap/signer.ts';
import type { DataPaths } from './paths.ts';

/**
 * The right to look into directories that are closed to others, and no other. Programs that ask for their rights before
 * they open a file (GnuPG does) are told of it only without the kernel's usual fix-up for a change of users.
 */
const lookAnywhere = [
  ...['--securebits', '+no_setuid_fixup'],
  ...['--inh-caps', '-all,+dac_read_search', '--ambient-caps', '-all,+dac_read_search'],
];

/**
 * The command line that runs `command` as the signer's user, which can read its keys while nobody else can.
 *
 * Where the checkout or the data lie below a directory that is closed to others, such as root's home, the signer gets
 * the right to look into directories, and no more.
 *
 * @returns the command as it is where this process may not change users, or there is no such user
 */
export function asSigner(command: readonly string[], data: string): readonly string[] {
  const user = process.getuid?.() === 0 ? findSigner() : undefined;
  const setpriv = findProgram('setpriv');
  if (user === undefined || setpriv === undefined) return command;
  const identity = ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'];
  const closed = [checkout, data, process.execPath].some((path) => !isOpen(path, user));
  const rights = closed ? lookAnywhere : ['--inh-caps', '-all'];
  return [setpriv, ...identity, ...rights, '--', ...command];
}

/** Makes the directories that the signer writes to: its keys are nobody else's, what it shows is everybody's. */
export function prepareSigner({ keys, publicKeys }: Pick<DataPaths, 'keys' | 'publicKeys'>): void {
  const user = process.getuid?.() === 0 ? findSigner() : undefined;
  for (const [path, mode] of [
    [keys, 0o700],
    [publicKeys, 0o755],
  ] as const) {
    mkdirSync(path, { recursive: true, mode });
    chmodSync(path, mode);
    if (user !== undefined) chownSync(path, user.uid, user.gid);
  }
}

/** Whether `user` can reach `path`: each directory on the way lets it pass. */
function isOpen(path: string, user: UnixUser): boolean {
  for (let at = path; at !== '/'; at = dirname(at)) {
    const { uid, gid, mode } = statSync(at);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
  }
  return true;
}
