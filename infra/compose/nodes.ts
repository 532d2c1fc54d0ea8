import { hostname } from 'node:os';
import { givenDirectory } from '../../activities/nodes/registry.ts';
import { machinesAsLent } from '../../activities/nodes/static/records.ts';
import { type ImportedNode, type ImportedNodes, sizesAtOnce } from '../../pipelines/by-hand/import-nodes.ts';
import { handWork } from '../../pipelines/by-hand/request.ts';
import type { FrozenJob, NodeSize } from '../../pipelines/model/job.ts';
import {
  defaultLabel,
  isVirtual,
  type Platform,
  type PlatformProvider,
  providerOf,
} from '../../pipelines/model/platform.ts';
import { type Capacity, type Size, sizeWithin } from '../../pipelines/nodes/capacity.ts';
import { sizedAs } from '../../pipelines/nodes/instance-types.ts';
import { hasPlaybooks, wantedBy, withoutNodes } from '../../pipelines/nodes/wanted.ts';
import { type BuildRecord, taskQueues } from '../../workflows/contract.ts';
import type { NodesNeed } from '../../workflows/nodes-contract.ts';
import type { Common } from '../common/common.ts';
import type { LiveConfig } from '../common/live-config.ts';
import { withHosts } from '../common/vm-hosts.ts';
import type { Labels } from '../config/labels.ts';
import { allPlatforms } from '../config/platforms.ts';
import type { StackConfig } from '../stack/settings.ts';
import { takesReady, wishesIn } from './ready.ts';

/** Stages that virtual machines are good for: they have a minimal system, and no build tools. */
const onMachines = new Set<FrozenJob['uses']>(['repocheck', 'install', 'systest', 'test', ...withoutNodes]);

/**
 * What a provider has, as configured now; one that there is no more has no limits.
 *
 * @param data directory of everything: what is known of static machines is there
 */
export function capacityIn(
  live: Pick<LiveConfig, 'settings'>,
  data: string,
  findPlatform: Common['findPlatform'],
): (provider: string) => Promise<Capacity> {
  const limits = async (provider: string): Promise<Capacity> => {
    const { nodes } = live.settings();
    if (provider === 'static') {
      const machines = Object.entries(nodes.static).map(([name, { labels }]) => ({ name, labels }));
      return { machines: await machinesAsLent(givenDirectory(data), machines) };
    }
    if (provider !== 'docker' && provider !== 'vm') return {};
    const { instanceTypes: _, ...given } = nodes[provider];
    const { hosts, mirrors: __, ...most } = { hosts: {}, mirrors: [], ...given };
    const anywhere = Object.keys(hosts).length > 0 ? { host: null } : {};
    const ready = wishesIn(nodes.labels, { provider, ...anywhere }, findPlatform);
    const own = ready.length === 0 ? most : { ...most, ready };
    return provider === 'vm' ? withHosts(own, hosts, data) : own;
  };
  return async (provider) => {
    const capacity = await limits(provider);
    const counts = live.settings().nodes.relativePriority && Object.keys(capacity).length > 0;
    return counts ? { ...capacity, relativePriority: true } : capacity;
  };
}

/** The providers that there are nodes of. */
export function providersIn(config: Pick<StackConfig, 'platforms' | 'nodes'>): readonly PlatformProvider[] {
  const there = new Set(allPlatforms(config).map(providerOf));
  return (['docker', 'vm', 'static'] as const).filter((provider) => there.has(provider));
}

type Programs = Pick<FrozenJob, 'preRun' | 'run' | 'postRun'>;
type Job = Pick<FrozenJob, 'name' | 'uses' | 'nodeset'> & Programs;

/**
 * What a job takes of a provider that has limits: a machine for each node, and one for programs without nodes, or for
 * playbooks that reach several containers. An import takes what its jobs have at once, of each provider.
 */
export function nodesIn(
  { findPlatform }: Pick<Common, 'findPlatform'>,
  live: Pick<LiveConfig, 'settings'>,
  host = hostname(),
) {
  return (job: WantingJob): NodesNeed | undefined => {
    const { nodes } = live.settings();
    const imported = importedBy(job);
    if (imported !== undefined) {
      const sizes = (provider: ImportProvider) =>
        isLimited(nodes[provider]) ? sizesOf(imported, provider, findPlatform) : [];
      return importNeed({ docker: sizes('docker'), vm: sizes('vm') }, host);
    }
    const { control, ...wanted } = wantedBy(job);
    const known = wanted.nodes.flatMap(({ label, size }) => {
      const platform = findPlatform(label);
      return platform === undefined ? [] : [{ platform, size }];
    });
    const platforms = known.map(({ platform, size }) => sizedAs(platform, size));
    const provider = platforms[0] === undefined ? 'docker' : providerOf(platforms[0]);
    const limited = provider === 'static' || isLimited(nodes[provider]);
    const besides = control && provider === 'docker' ? known.slice(0, 1).map(({ platform }) => platform) : [];
    const sizes = [...platforms, ...besides].map((platform) => {
      const size = sizeOf(platform);
      return takesReady(job, platform, nodes.labels) ? { ...size, label: platform.name } : size;
    });
    return !limited || sizes.length === 0 ? undefined : { provider, sizes };
  };
}

type WantingJob = Omit<Job, 'name'> & Partial<Pick<FrozenJob, 'vars'>>;
type ImportProvider = Exclude<PlatformProvider, 'static'>;

/** What the jobs of an import by hand may have; undefined for other jobs, and where it only says what it would do. */
function importedBy({ uses, vars }: Partial<Pick<WantingJob, 'uses' | 'vars'>>): readonly ImportedNodes[] | undefined {
  if (uses !== 'hand') return undefined;
  // One that an older Sluice was asked for has nothing: the stage refuses it.
  const request = handWork.safeParse(vars?.hand).data?.request;
  return request?.kind === 'import' && !request.dryRun ? request.jobs : undefined;
}

/** What the jobs of an import have at once of a provider. */
function sizesOf(
  jobs: readonly ImportedNodes[],
  provider: ImportProvider,
  findPlatform: Common['findPlatform'],
): readonly Size[] {
  const size = (node: ImportedNode) => {
    const { label, size: own } = withLabel(node);
    const platform = findPlatform(label);
    if (platform === undefined || providerOf(platform) !== provider) return [];
    return sizeOf(provider === 'docker' ? sizedAs(platform, own) : platform);
  };
  return sizesAtOnce(
    jobs.map(({ nodesets, stays }) => ({ nodesets: nodesets.map((nodes) => nodes.flatMap(size)), stays })),
  );
}

function withLabel(node: ImportedNode): { readonly label: string; readonly size?: NodeSize } {
  return typeof node === 'string' ? { label: node } : node;
}

/** Its machines are on the host of the worker that runs it. */
function importNeed(sizes: Readonly<Record<ImportProvider, readonly Size[]>>, host: string): NodesNeed | undefined {
  const vm = sizes.vm.length === 0 ? undefined : { provider: 'vm', sizes: sizes.vm, on: host };
  if (sizes.docker.length === 0) return vm;
  return { provider: 'docker', sizes: sizes.docker, ...(vm === undefined ? {} : { besides: vm }) };
}

function isLimited({
  maxServers,
  maxCores,
  maxRamGb,
}: Pick<Capacity, 'maxServers' | 'maxCores' | 'maxRamGb'>): boolean {
  return [maxServers, maxCores, maxRamGb].some((limit) => limit !== undefined);
}

/** What a build at work has of a provider, whether or not that has limits. */
export function machinesIn({ findPlatform }: Pick<Common, 'findPlatform'>) {
  return ({ stage, label }: Pick<BuildRecord, 'stage' | 'label'>): NodesNeed | undefined => {
    if (stage === 'noop' || (stage !== 'script' && withoutNodes.has(stage))) return undefined;
    const labels = stage === 'script' && label === '' ? [defaultLabel] : label.split(' ');
    const platforms = labels.flatMap((one) => findPlatform(one) ?? []);
    const [first] = platforms;
    return first && { provider: providerOf(first), sizes: platforms.map(sizeOf) };
  };
}

/** A machine that is there has what it has: it counts by its label. */
function sizeOf(platform: Pick<Platform, 'name' | 'limits' | 'provider'>): Size {
  return platform.provider === 'static' ? { cores: 0, ramGb: 0, label: platform.name } : sizeWithin(platform.limits);
}

/** Where a job runs that must be at one place, or why it cannot run on the nodes that it names. */
export interface Placing {
  readonly queue?: string;
  readonly refused?: string;
}

/** What is said of a node by where it comes from. */
const kinds: Readonly<Record<PlatformProvider, string>> = {
  docker: 'a container',
  vm: 'a virtual machine',
  static: 'a static machine',
};

/** Stages that nodes besides containers are good for; `undefined` is a job with programs. */
const ableOn: Readonly<Record<Exclude<PlatformProvider, 'docker'>, ReadonlySet<FrozenJob['uses']>>> = {
  vm: onMachines,
  static: new Set([undefined, ...onMachines]),
};

interface Placed extends Pick<Common, 'findPlatform'> {
  /** Whether static machines of a label are lent to jobs that may run before a review. */
  readonly takesUnreviewed: (label: string) => boolean;
  /** As configured now. */
  readonly labels: () => Labels;
}

/** Virtual machines are on the server's machine, static ones are lent and others stand ready there: their jobs run there. */
export function placeIn({ findPlatform, takesUnreviewed, labels }: Placed, host = hostname()) {
  return (job: Job & Pick<FrozenJob, 'postReview'> & Partial<Pick<FrozenJob, 'vars'>>): Placing => {
    const { name, uses, nodeset, postReview } = job;
    const imported = importedBy(job)?.flatMap(({ nodesets }) => nodesets.flat());
    if (imported?.some((node) => isVirtual(findPlatform(withLabel(node).label) ?? {}))) {
      return { queue: taskQueues.host(host) };
    }
    const providers = new Map<PlatformProvider, string>();
    for (const { label } of nodeset.nodes) {
      const platform = findPlatform(label);
      if (platform !== undefined) providers.set(providerOf(platform), label);
    }
    const [[provider, label] = ['docker', ''] as const, other] = [...providers].sort(([a], [b]) => rank(a) - rank(b));
    if (provider === 'docker') {
      const platform = findPlatform(label);
      return platform !== undefined && takesReady(job, platform, labels()) ? { queue: taskQueues.host(host) } : {};
    }
    const kind = kinds[provider];
    if (other !== undefined) {
      return { refused: `nodes of ${name} share no network: ${label} is ${kind}, ${other[1]} ${kinds[other[0]]}` };
    }
    if (!ableOn[provider].has(uses) && !hasPlaybooks(job)) {
      const what = uses === undefined ? 'programs run' : `the stage ${uses} runs`;
      return { refused: `${what} in containers, and ${label} is ${kind}: name another platform for ${name}` };
    }
    if (provider === 'static' && !postReview && !takesUnreviewed(label)) {
      const mend = `say \`post-review: true\` in the job, or \`unreviewed: true\` at the machines in sluice.yaml`;
      return { refused: `${label} is ${kind}, and ${name} may run what nobody has reviewed: ${mend}` };
    }
    return { queue: taskQueues.host(host) };
  };
}

/** Containers last: what is said of several is said of the others. */
function rank(provider: PlatformProvider): number {
  return ['vm', 'static', 'docker'].indexOf(provider);
}
