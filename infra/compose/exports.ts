import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { gatherExport } from '../../activities/export/gather.ts';
import { packExport } from '../../activities/export/pack.ts';
import type { ExportDeps } from '../../activities/export/port.ts';
import type { ExportDescription } from '../../pipelines/export/description.ts';
import type { Machines } from '../../server/machines.ts';
import type { Exports } from '../../server/port.ts';
import type { BuildSetView } from '../../workflows/contract.ts';
import { buildSetQuery } from '../../workflows/messages.ts';
import type { Common } from '../common/common.ts';
import { releaseRules } from '../config/release-rules.ts';
import { publicKeyPath } from '../signer/signer.ts';
import { readInput } from '../temporal/read-payload.ts';

/** What exports are made of on the server's machine. */
export interface ExportsDeps {
  readonly common: Common;
  readonly client: Client;
  readonly machines: Pick<Machines, 'platforms' | 'list'>;
}

export function createExports({ common, client, machines }: ExportsDeps): Exports {
  const { config, paths, blobs, git, modules, trees, released, findPlatform } = common;
  const deps: ExportDeps = {
    ...{ blobs, git, modules, trees, released },
    inputOf: (workflow) => readInput(client, workflow),
    viewOf: (workflow) => viewOf(client, workflow),
    archiveKey: () => readFile(publicKeyPath(paths), 'utf8').catch(() => undefined),
    release: { origin: config.release.origin, ...releaseRules(config) },
    platform: findPlatform,
    snapshots: () => snapshotsOf(machines),
  };
  return {
    async make(record) {
      await mkdir(paths.work, { recursive: true });
      const root = await mkdtemp(join(paths.work, 'export-'));
      const remove = () => rm(root, { recursive: true, force: true });
      try {
        await gatherExport(deps, record, root);
        const { archive, ended } = await packExport(root);
        // An archive that breaks off is none: its reader notices.
        ended.catch((error) => archive.destroy(error)).finally(remove);
        return archive;
      } catch (error) {
        await remove();
        throw error;
      }
    },
  };
}

/** Where there are no virtual machines, no worker is asked for them. */
async function snapshotsOf({ platforms, list }: ExportsDeps['machines']): Promise<ExportDescription['snapshots']> {
  if (platforms.length === 0) return [];
  const { snapshots } = await list();
  const current = snapshots.filter(({ state }) => state === 'current');
  return current.map(({ platform, id, time }) => ({ platform, id, made: new Date(time).toISOString() }));
}

async function viewOf(client: Client, workflow: string): Promise<BuildSetView | undefined> {
  try {
    return await client.workflow.getHandle(workflow).query(buildSetQuery);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
