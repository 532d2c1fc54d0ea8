import { posix } from 'node:path';
import type { Attributes, SFTPWrapper } from 'ssh2';
import type { ListedEntry } from '../../../pipelines/mirror/listing.ts';
import { MirrorError } from '../types.ts';
import { isMissing, isRefusal, type Request, type SftpSession } from './session.ts';

/** An entry as it stands, without its name. */
export type Standing = Omit<ListedEntry, 'name' | 'target'>;

/** What a file or directory is to be: permission bits, and seconds since the epoch. */
export interface Facts {
  readonly mode: number;
  readonly mtime?: number;
}

/** Files of a mirror by their paths below its root; each function is one request. */
export interface Remote extends Pick<SftpSession, 'canLink' | 'pace'> {
  /** What stands somewhere, a link itself; null where nothing does. */
  look(path: string): Promise<Standing | null>;
  /** Names in a directory and what they are; links without their texts. */
  names(path: string): Promise<(Standing & { readonly name: string })[]>;
  readLink(path: string): Promise<string>;
  /** @returns false where something stands there already. */
  makeDirectory(path: string): Promise<boolean>;
  set(path: string, facts: Facts): Promise<void>;
  removeFile(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  makeLink(text: string, path: string): Promise<void>;
  /** Puts one entry in the place of another in one step. */
  rename(from: string, to: string): Promise<void>;
  /** Gives a file another name. @returns false where that cannot be. */
  linkFile(from: string, to: string): Promise<boolean>;
  /** Bytes that are left; null where the server does not say. */
  space(path: string): Promise<number | null>;
  open(path: string, flags: 'r' | 'w' | 'wx'): Promise<RemoteFile>;
}

/** A file that is open. */
export interface RemoteFile {
  facts(): Promise<Standing>;
  /** @returns how many bytes came; 0 at the end. */
  read(buffer: Buffer, from: number, position: number): Promise<number>;
  write(buffer: Buffer, position: number): Promise<void>;
  set(facts: Facts): Promise<void>;
  close(): Promise<void>;
}

export function createRemote(session: SftpSession, root: string): Remote {
  const at = (path: string) => posix.join(root, path);
  const ask = <T>(path: string, request: (sftp: SFTPWrapper, full: string, done: Parameters<Request<T>>[1]) => void) =>
    session.ask<T>(path === '' ? root : path, (sftp, done) => request(sftp, at(path), done));
  const unlessMissing = (error: MirrorError) => {
    if (!isMissing(error)) throw error;
  };
  const remote: Remote = {
    canLink: session.canLink,
    pace: session.pace,
    look: (path) =>
      ask<Attributes>(path, (sftp, full, done) => sftp.lstat(full, done)).then(standing, (error) => {
        unlessMissing(error);
        return null;
      }),
    names: async (path) => {
      type Found = readonly { readonly filename: string; readonly attrs: Attributes }[];
      const found = await ask<Found>(path, (sftp, full, done) => sftp.readdir(full, done));
      const own = found.filter(({ filename }) => filename !== '.' && filename !== '..');
      const odd = own.find(({ filename }) => filename === '' || filename.includes('/'));
      if (odd !== undefined) throw new MirrorError('sftp', `${path}: the server lists ${JSON.stringify(odd.filename)}`);
      return own.map(({ filename, attrs }) => ({ name: filename, ...standing(attrs) }));
    },
    readLink: (path) => ask<string>(path, (sftp, full, done) => sftp.readlink(full, done)),
    makeDirectory: (path) =>
      ask(path, (sftp, full, done) => sftp.mkdir(full, { mode: 0o755 }, done)).then(
        () => true,
        async (error) => {
          if (isRefusal(error) && (await remote.look(path)) !== null) return false;
          throw error;
        },
      ),
    set: (path, facts) => ask(path, (sftp, full, done) => sftp.setstat(full, attributes(facts), done)),
    removeFile: (path) => ask<void>(path, (sftp, full, done) => sftp.unlink(full, done)).catch(unlessMissing),
    removeDirectory: (path) => ask<void>(path, (sftp, full, done) => sftp.rmdir(full, done)).catch(unlessMissing),
    makeLink: (text, path) => ask(path, (sftp, full, done) => sftp.symlink(text, full, done)),
    rename: (from, to) => ask(to, (sftp, full, done) => sftp.ext_openssh_rename(at(from), full, done)),
    linkFile: (from, to) =>
      ask(to, (sftp, full, done) => sftp.ext_openssh_hardlink(at(from), full, done)).then(
        () => true,
        (error) => {
          if (isRefusal(error)) return false;
          throw error;
        },
      ),
    space: (path) =>
      ask<{ readonly f_bavail: number; readonly f_frsize: number }>(path, (sftp, full, done) =>
        sftp.ext_openssh_statvfs(full, done),
      ).then(
        ({ f_bavail, f_frsize }) => f_bavail * f_frsize,
        () => null,
      ),
    open: async (path, flags) => {
      const held = await session.held();
      const handle = await held<Buffer>(path, (sftp, done) => sftp.open(at(path), flags, { mode: 0o644 }, done));
      return fileOf(held, path, handle);
    },
  };
  return remote;
}

function fileOf(ask: SftpSession['ask'], path: string, handle: Buffer): RemoteFile {
  return {
    facts: async () => standing(await ask<Attributes>(path, (sftp, done) => sftp.fstat(handle, done))),
    read: (buffer, from, position) =>
      ask<number>(path, (sftp, done) => sftp.read(handle, buffer, from, buffer.length - from, position, done)).catch(
        (error: MirrorError) => {
          if (error.code === 'sftp:1') return 0;
          throw error;
        },
      ),
    write: (buffer, position) =>
      ask(path, (sftp, done) => sftp.write(handle, buffer, 0, buffer.length, position, done)),
    set: (facts) => ask(path, (sftp, done) => sftp.fsetstat(handle, attributes(facts), done)),
    close: () => ask(path, (sftp, done) => sftp.close(handle, done)),
  };
}

function attributes({ mode, mtime }: Facts) {
  return mtime === undefined ? { mode } : { mode, atime: mtime, mtime };
}

const kinds: Readonly<Record<number, ListedEntry['kind']>> = { 4: 'directory', 8: 'file', 10: 'link' };

function standing({ mode, size, mtime }: Attributes): Standing {
  return { kind: kinds[mode >> 12] ?? 'other', mode: mode & 0o777, size, mtime };
}
