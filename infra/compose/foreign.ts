import type { Client } from '@temporalio/client';
import { builtInArchitectures, debianName } from '../../pipelines/model/architecture.ts';
import { providerOf } from '../../pipelines/model/platform.ts';
import { taskQueues } from '../../workflows/contract.ts';
import type { Config } from '../config/load.ts';
import { findEmulation, whyNotHere } from '../images/emulation.ts';
import { isForeign } from '../images/platforms.ts';
import { hostArch } from '../stack/arch.ts';
import type { Common } from './common.ts';

/** The architectures besides this machine's own that its worker takes jobs of, as Debian names them. */
export async function emulatedHere({ workers }: Pick<Config, 'workers'>): Promise<readonly string[]> {
  if (!workers.emulate) return [];
  const others = builtInArchitectures.filter((arch) => arch !== hostArch());
  const found = await Promise.all(others.map((arch) => findEmulation(arch)));
  return others.filter((_, i) => found[i] === 'runs');
}

/** Temporal's number for queues of activities. */
const activities = 2;

/**
 * Why nobody takes jobs on a platform of another architecture than the server's; null where somebody does, and for a
 * platform of its own, whose worker may be on its way.
 */
export function whyUnservedIn(
  { config, findPlatform }: Pick<Common, 'config' | 'findPlatform'>,
  client: Pick<Client, 'workflowService' | 'options'>,
) {
  return async (label: string): Promise<string | null> => {
    const platform = findPlatform(label);
    if (platform === undefined || providerOf(platform) !== 'docker' || !isForeign(platform)) return null;
    const { build, emulate } = config.workers;
    const reason = await whyNotHere(platform);
    if (reason === null && build > 0 && emulate) return null;
    const arch = debianName(platform.arch);
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueues.build(arch) },
      taskQueueType: activities,
    });
    if ((pollers ?? []).length > 0) return null;
    const why = reason ?? `${label} is for ${arch}, and sluice.yaml has no jobs emulated here`;
    return `${why}, or start a worker on a machine for ${arch} (docs/workers.md)`;
  };
}
