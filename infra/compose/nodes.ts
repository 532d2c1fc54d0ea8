import { hostname } from 'node:os';
import type { FrozenJob } from '../../pipelines/model/job.ts';
import { type Platform, type PlatformProvider, providerOf } from '../../pipelines/model/platform.ts';
import type { Capacity, Size } from '../../pipelines/nodes/capacity.ts';
import { type BuildRecord, taskQueues } from '../../workflows/contract.ts';
import type { NodesNeed } from '../../workflows/nodes-contract.ts';
import type { Common } from './common.ts';
import type { LiveConfig } from './live-config.ts';

/** Stages that work in the server's or the worker's own process. */
const without = new Set<FrozenJob['uses']>(['publish', 'mirror']);

/** Stages that virtual machines are good for: they have a minimal system, and no build tools. */
const onMachines = new Set<FrozenJob['uses']>(['install', 'systest', ...without]);

/** What a provider has, as configured now; one that there is no more has no limits. */
export function capacityIn(live: Pick<LiveConfig, 'settings'>): (provider: string) => Promise<Capacity> {
  return async (provider) => {
    const { nodes } = live.settings();
    return provider === 'docker' || provider === 'vm' ? nodes[provider] : {};
  };
}

type Job = Pick<FrozenJob, 'name' | 'uses' | 'nodeset' | 'run'>;

/** What a job takes of a provider that has limits: a machine for each node, and one for programs without nodes. */
export function nodesIn({ findPlatform }: Pick<Common, 'findPlatform'>, live: Pick<LiveConfig, 'settings'>) {
  return ({ uses, nodeset, run }: Pick<Job, 'uses' | 'nodeset' | 'run'>): NodesNeed | undefined => {
    if (without.has(uses)) return undefined;
    const labels = nodeset.nodes.map(({ label }) => label);
    const bare = uses === undefined && run.length > 0 && labels.length === 0;
    const platforms = (bare ? [defaultLabel] : labels).flatMap((label) => findPlatform(label) ?? []);
    const provider = platforms[0] === undefined ? 'docker' : providerOf(platforms[0]);
    const limited = Object.values(live.settings().nodes[provider]).some((limit) => limit !== undefined);
    const sizes = platforms.map(sizeOf);
    return !limited || sizes.length === 0 ? undefined : { provider, sizes };
  };
}

/** What a build at work has of a provider, whether or not that has limits. */
export function machinesIn({ findPlatform }: Pick<Common, 'findPlatform'>) {
  return ({ stage, label }: Pick<BuildRecord, 'stage' | 'label'>): NodesNeed | undefined => {
    if (stage === 'noop' || (stage !== 'script' && without.has(stage))) return undefined;
    const labels = stage === 'script' && label === '' ? [defaultLabel] : label.split(' ');
    const platforms = labels.flatMap((one) => findPlatform(one) ?? []);
    const [first] = platforms;
    return first && { provider: providerOf(first), sizes: platforms.map(sizeOf) };
  };
}

function sizeOf({ limits }: Pick<Platform, 'limits'>): Size {
  return { cores: limits.cpus, ramGb: limits.memoryMiB / 1024 };
}

/** Where a job runs that must be at one place, or why it cannot run on the nodes that it names. */
export interface Placing {
  readonly queue?: string;
  readonly refused?: string;
}

/** Virtual machines are on the server's machine: whoever needs them runs there. */
export function placeIn({ findPlatform }: Pick<Common, 'findPlatform'>, host = hostname()) {
  return ({ name, uses, nodeset }: Job): Placing => {
    const providers = new Map<PlatformProvider, string>();
    for (const { label } of nodeset.nodes) {
      const platform = findPlatform(label);
      if (platform !== undefined) providers.set(providerOf(platform), label);
    }
    const virtual = providers.get('vm');
    if (virtual === undefined) return {};
    const other = providers.get('docker');
    if (other !== undefined) {
      return { refused: `nodes of ${name} share no network: ${virtual} is a virtual machine, ${other} a container` };
    }
    if (!onMachines.has(uses)) {
      const what = uses === undefined ? 'programs run' : `the stage ${uses} runs`;
      return {
        refused: `${what} in containers, and ${virtual} is a virtual machine: name another platform for ${name}`,
      };
    }
    return { queue: taskQueues.host(host) };
  };
}

/** Where the programs of jobs without nodes run. */
export const defaultLabel = 'debian-12';
