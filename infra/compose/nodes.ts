import type { FrozenJob } from '../../pipelines/model/job.ts';
import type { Capacity } from '../../pipelines/nodes/capacity.ts';
import type { NodesNeed } from '../../workflows/nodes-contract.ts';
import type { Common } from './common.ts';
import type { LiveConfig } from './live-config.ts';

/** The one driver that there is lends all machines. */
const provider = 'docker';

/** Stages that work in the server's or the worker's own process. */
const without = new Set<FrozenJob['uses']>(['publish', 'mirror']);

/** What a provider has, as configured now. */
export function capacityIn(live: Pick<LiveConfig, 'settings'>): () => Promise<Capacity> {
  return async () => live.settings().nodes.docker;
}

/** What a job takes of a provider that has limits: a machine for each node, and one for programs without nodes. */
export function nodesIn({ findPlatform }: Pick<Common, 'findPlatform'>, live: Pick<LiveConfig, 'settings'>) {
  return ({ uses, nodeset, run }: Pick<FrozenJob, 'uses' | 'nodeset' | 'run'>): NodesNeed | undefined => {
    const limited = Object.values(live.settings().nodes.docker).some((limit) => limit !== undefined);
    if (!limited || without.has(uses)) return undefined;
    const labels = nodeset.nodes.map(({ label }) => label);
    const bare = uses === undefined && run.length > 0 && labels.length === 0;
    const sizes = (bare ? [defaultLabel] : labels).flatMap((label) => {
      const limits = findPlatform(label)?.limits;
      return limits === undefined ? [] : [{ cores: limits.cpus, ramGb: limits.memoryMiB / 1024 }];
    });
    return sizes.length === 0 ? undefined : { provider, sizes };
  };
}

/** Where the programs of jobs without nodes run. */
export const defaultLabel = 'debian-12';
