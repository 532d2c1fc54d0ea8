import type { RsyncUrl } from '../../../pipelines/mirror/url.ts';
import type { Transport, TransportOptions } from '../transport.ts';
import type { MirrorHostConfig } from '../types.ts';
import { openRsync, type Rsync } from './call.ts';
import { listPaths, makeDirectory, placeEntries, readTexts, removeEntries, removePaths } from './place.ts';
import { compare, fetchTree, listBelow, sendFiles, sendOver, sendTree } from './send.ts';

/** A mirror that rsync reaches: a directory, a daemon, an ssh host. */
export function createRsyncTransport(url: RsyncUrl, config: MirrorHostConfig, options: TransportOptions): Transport {
  return transportBy(openRsync(url, config, options));
}

function transportBy(rsync: Rsync): Transport {
  const { kind, at, directory, shell, close, top } = rsync;
  const rooted = (path: string) => transportBy(rsync.rooted(path));
  return {
    ...{ kind, at, directory, shell, close },
    above: top === null ? null : { path: top.path, list: (paths) => listPaths(rsync, paths), rooted },
    list: (directory, closed) => listBelow(rsync, directory, closed),
    readTexts: (paths) => readTexts(rsync, paths),
    place: (entries, existing) => placeEntries(rsync, entries, existing),
    makeDirectory: (path) => makeDirectory(rsync, path),
    remove: (directory, paths) =>
      paths.some((path) => path.includes('/'))
        ? removePaths(rsync, directory, paths)
        : removeEntries(rsync, directory, paths),
    send: (tree, place, sending) => sendTree(rsync, [tree, place], sending),
    sendOver: (tree, place, plan) => sendOver(rsync, [tree, place], plan),
    sendFiles: (tree, place, files) => sendFiles(rsync, [tree, place], files),
    compare: (tree, place, compared) => compare(rsync, [tree, place], compared),
    fetch: (place, to, apart = []) => fetchTree(rsync, [to, place], apart),
  };
}
