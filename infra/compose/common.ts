import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalGit } from '../../activities/git/local.ts';
import type { Git } from '../../activities/git/port.ts';
import type { NodeRepository } from '../../activities/nodes/packages/port.ts';
import type { BlobStore, LogStore } from '../../activities/ports.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { createFileLogStore } from '../../activities/storage/filesystem/log-store.ts';
import { createTreeStore } from '../../activities/storage/filesystem/tree-store.ts';
import type { Trees } from '../../activities/storage/port.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { allPlatforms } from '../config/platforms.ts';
import { publicKeyPath } from '../signer/signer.ts';
import { type DataPaths, dataPaths } from '../stack/paths.ts';
import type { StackConfig } from '../stack/settings.ts';
import { containerUrl } from './listen.ts';

/** What every process of a stack makes of its configuration. */
export interface Common {
  readonly config: StackConfig;
  readonly paths: DataPaths;
  readonly blobs: BlobStore;
  readonly logs: LogStore;
  readonly git: Git;
  /** Test repositories. */
  readonly trees: Trees;
  /** Undefined for a label that nobody knows. */
  readonly findPlatform: (label: string) => Platform | undefined;
  /** @throws when no platform has that name. */
  readonly platform: (label: string) => Platform;
}

export function createCommon(config: StackConfig): Common {
  const paths = dataPaths(config.data);
  const storage = { root: paths.storage, baseUrl: config.server.url };
  const platforms = new Map(allPlatforms(config).map((platform) => [platform.name, platform]));
  const platform = (label: string) => {
    const found = platforms.get(label);
    if (found === undefined) throw new Error(`no platform is called "${label}": give it in sluice.yaml's platforms`);
    return found;
  };
  const findPlatform = (label: string) => platforms.get(label);
  return {
    config,
    paths,
    blobs: createFileBlobStore(storage),
    logs: createFileLogStore({ ...storage, limit: config.workers.log }),
    git: createLocalGit(paths.git),
    trees: createTreeStore({
      root: join(paths.repositories, 'test'),
      baseUrl: async () => `${await containerUrl(config)}/repositories/test`,
    }),
    platform,
    findPlatform,
  };
}

/** The released repository that a platform's nodes are offered; null while nothing was released in its format. */
export async function releasedRepository(common: Common, { format }: Platform): Promise<NodeRepository | null> {
  const { config, paths } = common;
  const entries = await readdir(join(paths.released, format)).catch(() => []);
  if (entries.length === 0) return null;
  const key = await readFile(publicKeyPath(paths), 'utf8').catch(() => undefined);
  return {
    url: `${await containerUrl(config)}/released/${format}`,
    codename: format === 'deb' ? config.release.deb.codename : '',
    origin: config.release.origin,
    kind: 'released',
    ...(key === undefined ? {} : { key }),
  };
}
