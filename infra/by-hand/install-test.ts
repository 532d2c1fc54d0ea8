import { randomBytes } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceFiles } from '../../activities/install/exercise.ts';
import { placeScripts } from '../../activities/install/place-scripts.ts';
import type { PackageReport } from '../../activities/install/steps.ts';
import { tryPackage } from '../../activities/install/try-package.ts';
import { packageManagers } from '../../activities/nodes/packages/managers.ts';
import { addRepositories, doorOf } from '../../activities/nodes/packages/node.ts';
import type { NodeRepository } from '../../activities/nodes/packages/port.ts';
import { unreadable } from '../../activities/nodes/packages/unreadable.ts';
import type { Lease } from '../../activities/nodes/port.ts';
import type { BuildLog } from '../../activities/ports.ts';
import { makeTemporary } from '../../activities/process/temporary.ts';
import { formatOf } from '../../activities/repository/formats.ts';
import { RepositoryRefusal } from '../../activities/repository/port.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { type Lend, openLog, withMachines } from './context.ts';

export interface HandInstall {
  /** A repository's directory, or its URL. */
  readonly repository: string;
  /** `NAME` or `NAME=VERSION`. */
  readonly packages: readonly string[];
  readonly platform: Platform;
  /** Milliseconds for each step. */
  readonly timeout: number;
  /** Absent: containers of this machine. */
  readonly lend?: Lend;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** Where a repository of this machine is inside the container. */
const inside = '/srv/sluice-repository';

/** Installs, exercises and removes packages of a repository, as the gate's install stage does. */
export async function installByHand(request: HandInstall): Promise<readonly PackageReport[]> {
  const workdir = await makeTemporary('sluice-install');
  const build = `hand-${randomBytes(6).toString('hex')}`;
  try {
    const { lend = withMachines } = request;
    return await lend(build, async (lease) => {
      const log = await openLog(join(workdir, 'install.log'), request.onProgress);
      const reports = await tryEach(request, lease, { log, workdir });
      await log.close();
      return reports;
    });
  } finally {
    await rm(workdir, { recursive: true, force: true });
  }
}

async function tryEach(
  request: HandInstall,
  lease: Lease,
  { log, workdir }: { readonly log: BuildLog; readonly workdir: string },
): Promise<readonly PackageReport[]> {
  const { platform, signal, timeout } = request;
  const { repository, mounts } = await offer(request);
  const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'open', mounts });
  const manager = packageManagers[platform.format];
  const node = { name: 'node', machine, manager, signal, log, ...doorOf(machine) };
  const added = await addRepositories(node, [repository], { workdir, timeout });
  if (added.code !== 0)
    throw new RepositoryRefusal(`the repository cannot be read: ${unreadable(added.output, [repository])}`);
  await placeScripts(node, workdir);
  const reports: PackageReport[] = [];
  for (const text of request.packages) {
    const [name = '', version] = text.split('=');
    const debug = /-(dbgsym|debuginfo|debugsource)$/.test(name);
    reports.push(await tryPackage(node, { name, version, debug }, { source: sourceFiles(workdir), timeout, workdir }));
  }
  return reports;
}

async function offer({ repository, platform }: HandInstall) {
  const codename = platform.format === 'deb' ? platform.codename : '';
  if (/^https?:\/\//.test(repository)) {
    // Its Origin is not known before it is read; no pin matches then, and the newest version wins.
    return { repository: { url: repository, codename, origin: 'Sluice test', kind: 'test' } as const, mounts: [] };
  }
  const tree = await realpath(repository).catch(() => {
    throw new RepositoryRefusal(`${repository} is not there`);
  });
  const format = await formatOf(tree);
  if (format.id !== platform.format) throw new RepositoryRefusal(`${repository} holds ${format.id} packages`);
  const settings = await format.settings(tree);
  const local: NodeRepository = { url: `file://${inside}`, kind: 'test', ...settings };
  return { repository: local, mounts: [{ source: tree, target: inside }] };
}
