import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MirrorUrl } from '../../../pipelines/mirror/url.ts';
import { run } from '../../process/run.ts';
import { temporaryPrefix } from '../../process/temporary.ts';
import { checkKeys, sshOptions } from '../ssh-options.ts';
import type { MirrorHostConfig } from '../types.ts';

/** The one connection to an ssh host that all transfers of a command share. */
export interface SshConnection {
  /** The program and its options, ahead of the host's name. */
  readonly words: readonly string[];
  /** The same as rsync's `--rsh` takes it. */
  readonly command: string;
  /** Looks whether the files are there that it is made by. @throws MirrorError `ssh:255` */
  check(): Promise<void>;
  /** Whether a transfer has made it: what comes next connects no more. */
  stands(): boolean;
  /** Lets go of the connection, so that the next transfer makes a new one: this one may be dead. */
  drop(): Promise<void>;
  /** Ends the connection for good, and removes what it left here. */
  close(): Promise<void>;
}

type SshUrl = Extract<MirrorUrl, { readonly kind: 'ssh' }>;

/** Seconds for which a connection outlives a command that was killed. */
const linger = 60;
/** The longest name of a socket in bytes, less what ssh appends to it while it makes one. */
const longestSocket = 107 - 18;

/**
 * The first transfer connects, those after it go through its socket, in a directory that nobody else may enter. Where
 * the socket cannot be had, each transfer connects by itself.
 */
export function openSsh(url: SshUrl, config: MirrorHostConfig, seconds: number): SshConnection {
  const words = ['ssh', ...sshOptions(url, config, seconds)];
  const directory = mkdtempSync(temporaryPrefix('sluice-ssh'));
  const socket = join(directory, 's');
  const check = () => checkKeys(config);
  const remove = () => rm(directory, { recursive: true, force: true });
  if (Buffer.byteLength(socket) > longestSocket) {
    const command = words.map(quoted).join(' ');
    return { words, command, check, stands: () => false, drop: async () => {}, close: remove };
  }
  const path = `ControlPath=${socket.replaceAll('%', '%%')}`;
  const shared = [...words, '-o', 'ControlMaster=auto', '-o', `ControlPersist=${linger}`, '-o', path];
  const drop = async () => {
    if (!existsSync(socket)) return;
    await run('ssh', ['-o', path, '-O', 'exit', 'mirror'], { timeout: seconds * 1_000 }).catch(() => {});
    await rm(socket, { force: true });
  };
  return {
    words: shared,
    command: shared.map(quoted).join(' '),
    check,
    stands: () => existsSync(socket),
    drop,
    close: async () => {
      await drop();
      await remove();
    },
  };
}

/** rsync splits the remote shell's command at blanks outside of quotes; a doubled quote stands for itself. */
function quoted(word: string): string {
  return /^[\w./=@:-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`;
}
