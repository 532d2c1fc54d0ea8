import { chmod, mkdir, rm, symlink, utimes } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { type SftpUrl, sftpRoot } from '../../../pipelines/mirror/url.ts';
import { isIn } from '../../../pipelines/mirror/way.ts';
import { temporaryName } from '../temporary-name.ts';
import type { Transport, TransportOptions } from '../transport.ts';
import { MirrorError, type MirrorHostConfig } from '../types.ts';
import { download } from './content.ts';
import { each } from './each.ts';
import type { Target } from './file.ts';
import { placeEntries, placeNew, readTexts } from './place.ts';
import { createRemote, type Remote } from './remote.ts';
import { compare, sendFiles, sendTree } from './send.ts';
import { openSession } from './session.ts';
import { listBelow, makeDirectories, removeBelow } from './tree.ts';

/** A mirror that offers SFTP and need have neither rsync nor a shell. */
export function createSftpTransport(url: SftpUrl, config: MirrorHostConfig, options: TransportOptions): Transport {
  const session = openSession(url, config, options);
  const remote = createRemote(session, url.path);
  const temporary = () => temporaryName(options.set);
  const { again } = session;
  const over =
    <More, T>(work: (to: Target, more: More) => Promise<T>) =>
    (tree: string, place: string, more: More) => {
      const to = { remote, tree, place, temporary, sent: new Set<string>() };
      return again(() => work(to, more));
    };
  return {
    kind: 'sftp',
    at: (path) => `${sftpRoot(url)}/${path}`,
    above: null,
    shell: null,
    directory: (path) => posix.join(url.path, path),
    list: (directory, closed) => again(() => listBelow(remote, directory, closed)),
    readTexts: (paths) => again(() => readTexts(remote, paths)),
    place: (entries, existing = 'replaced') =>
      again(() =>
        existing === 'kept' ? placeNew(remote, entries, temporary) : placeEntries(remote, entries, temporary),
      ),
    makeDirectory: (path) => again(() => makeDirectories(remote, path)),
    remove: (directory, paths) => again(() => removeBelow(remote, directory, paths)),
    send: over(sendTree),
    sendOver: async () => null,
    sendFiles: over(sendFiles),
    compare: over(compare),
    fetch: (place, to, apart = []) => again(() => fetchTree(remote, [to, place], apart)),
    close: session.close,
  };
}

async function fetchTree(
  remote: Remote,
  [to, place]: readonly [to: string, place: string],
  apart: readonly string[],
): Promise<void> {
  const { entries, unread } = await listBelow(remote, place);
  // What a try before this one has fetched.
  await rm(to, { recursive: true, force: true });
  await mkdir(to);
  if (unread !== null) throw new MirrorError('verify', `it cannot be read as a whole: ${unread}`);
  const chosen = entries.filter(({ name }) => !isIn(apart, name));
  for (const { kind, name } of chosen) if (kind === 'directory') await mkdir(join(to, name));
  await each(chosen, async ({ kind, name, target, mode, mtime }) => {
    const here = join(to, name);
    if (kind === 'link') await symlink(target ?? '', here);
    if (kind !== 'file') return;
    await download(remote, posix.join(place, name), here);
    await chmod(here, mode);
    await utimes(here, mtime, mtime);
  });
  for (const { kind, name, mode } of chosen.toReversed()) if (kind === 'directory') await chmod(join(to, name), mode);
}
