import { handPipeline } from '../pipelines/by-hand/request.ts';
import type { Capacity, HostRoom, Limits, Size, Usage } from '../pipelines/nodes/capacity.ts';
import { nothing, withMachines } from '../pipelines/nodes/capacity.ts';
import { type NodesDesk, type NodesRequest, servingOrder, usageOf } from '../pipelines/nodes/desk.ts';
import type { HeldBuild } from '../pipelines/nodes/holds.ts';
import { hostsFor, usageOn } from '../pipelines/nodes/hosts.ts';
import { type Left, lacking, leftOf } from '../pipelines/nodes/lack.ts';
import type { GivenMachine } from '../pipelines/nodes/machines.ts';
import type { ReadyNode } from '../pipelines/nodes/ready.ts';
import { hostWords, readyWords, waitsBecause } from '../pipelines/report/nodes.ts';
import type { BuildRecord } from '../workflows/contract.ts';
import { parseJobId } from '../workflows/ids.ts';

/** `GET /api/nodes`: who has which machines, and who waits for some. */
export interface NodesView {
  /** The server's clock, milliseconds since the epoch. */
  readonly time: number;
  readonly providers: readonly ProviderView[];
  readonly lent: readonly LentNodes[];
  /** Of each provider in the order in which they are served. */
  readonly waiting: readonly WaitingNodes[];
  /** How many more there are, which are not listed. */
  readonly unlisted: { readonly lent: number; readonly waiting: number };
}

/** What a provider has, has lent, and has left. */
interface ProviderView {
  readonly provider: string;
  readonly most: Capacity;
  readonly used: Usage;
  /** On hosts that take jobs, where there are several. */
  readonly free: Left;
  readonly waiting: number;
  /** The hosts that its machines are on, where there are several. */
  readonly hosts?: readonly HostView[];
  /** Each by its name, where they are there already. */
  readonly machines?: readonly MachineView[];
  /** What stands ready for jobs to come, or is to; it counts as used. */
  readonly ready: readonly ReadyView[];
}

/** A host that machines are on. */
interface HostView {
  readonly name: string;
  readonly most: Limits;
  readonly used: Usage;
  readonly free: Left;
  /** How it stands with it: whether it takes jobs, or why it does not. */
  readonly words: string;
  readonly takesJobs: boolean;
}

/** A node for jobs to come. */
interface ReadyView extends Pick<ReadyNode, 'id' | 'label' | 'state' | 'since' | 'took'> {
  /** How it stands with it. */
  readonly words: string;
  /** The host that it is on, where the provider has several. */
  readonly host?: string;
}

/** A machine that is there, and who has it. */
interface MachineView {
  readonly name: string;
  readonly labels: readonly string[];
  readonly state: 'free' | 'lent' | 'out';
  /** The build that has it; absent: none. */
  readonly build?: string;
  /** Why it is out of service. */
  readonly why?: string;
}

/** Machines of a build. Keys of what is not known any more are null. */
export interface BuildNodes extends Usage {
  readonly provider: string;
  /** Labels of the nodes, with a space between them. */
  readonly label: string;
  readonly build: string;
  readonly workflow: string;
  readonly pipeline: string | null;
  readonly project: string | null;
  readonly change: string | null;
  readonly patchset: number | null;
  readonly job: string | null;
  /** Since when the job is at work, is held, or waits: milliseconds since the epoch. */
  readonly since: number | null;
}

interface LentNodes extends BuildNodes {
  /** `lost`: the job has ended without giving them back, and they are being removed. */
  readonly state: 'works' | 'held' | 'lost';
  /** The hold that they stay for, and until when; null: until it is deleted. */
  readonly hold?: { readonly id: string; readonly until: number | null };
  /** The host that they are on, where the provider has several. */
  readonly host?: string;
}

interface WaitingNodes extends BuildNodes {
  /** From 1, by provider. */
  readonly place: number;
  readonly why: string;
}

/** Nodes that a hold keeps. */
interface HeldOf {
  readonly id: string;
  readonly job: string;
  readonly held: HeldBuild;
}

/** Machines that a build has of a provider, whether or not that counts them. */
export interface BuildMachines {
  readonly provider: string;
  readonly sizes: readonly Size[];
}

/** What is known of the nodes, from those who know it. */
export interface NodesFacts {
  readonly desks: readonly { readonly provider: string; readonly capacity: Capacity; readonly desk: NodesDesk }[];
  /** By their workflow. */
  readonly builds: ReadonlyMap<string, BuildRecord>;
  /** By the workflow that holds them. */
  readonly held: ReadonlyMap<string, HeldOf>;
  /** Machines that nobody has counted. */
  readonly uncounted: readonly (BuildMachines & { readonly workflow: string; readonly build: string })[];
}

/** Puts together what is shown, at most so many rows of each kind. */
export function nodesView(facts: NodesFacts, time: number, most: number): NodesView {
  const { desks, uncounted } = facts;
  const counted = desks.flatMap(({ provider, desk }) =>
    desk.leases.map((lease) => {
      const row = lentRow(facts, { provider, workflow: lease.holder, ...lease }, lease.lost);
      return lease.host === undefined ? row : { ...row, host: lease.host };
    }),
  );
  const lent = [...counted, ...uncounted.map((one) => lentRow(facts, one, false))];
  const waiting = desks.flatMap((one) => waitingRows(facts, one));
  const providers = desks.map((one) => providerView(one, uncounted));
  const unlisted = { lent: Math.max(0, lent.length - most), waiting: Math.max(0, waiting.length - most) };
  return { time, providers, lent: lent.slice(0, most), waiting: waiting.slice(0, most), unlisted };
}

type Desk = NodesFacts['desks'][number];
type Machines = NodesFacts['uncounted'][number];

function providerView({ provider, capacity, desk }: Desk, uncounted: readonly Machines[]): ProviderView {
  const others = uncounted.filter((one) => one.provider === provider).flatMap(({ sizes }) => sizes);
  const used = rounded(withMachines(usageOf(desk), others));
  const { machines, ready: _, relativePriority: __, queue: ___, hosts: rooms, ...most } = capacity;
  const hosts = rooms
    ?.map((host) => hostView(desk, host))
    .filter(({ most, used }) => most.maxServers !== 0 || used.servers > 0);
  const free = rounded(hosts === undefined ? leftOf(usageOf(desk), capacity) : freeOn(hosts));
  const ready = (desk.ready ?? []).map(({ size: _, queue, ...node }) => {
    const host = rooms?.find((each) => each.queue === queue)?.name;
    return { ...node, words: readyWords(node), ...(host === undefined ? {} : { host }) };
  });
  const waiting = desk.waiting.length;
  const view = { provider, most, used, free, waiting, ready, ...(hosts === undefined ? {} : { hosts }) };
  if (machines === undefined) return view;
  const each = machines.map((machine) => machineView(desk, machine));
  const servers = each.filter(({ state }) => state === 'free').length;
  return { ...view, most: { maxServers: each.length }, free: { servers, cores: null, ramGb: null }, machines: each };
}

function hostView({ leases, ready = [] }: NodesDesk, host: HostRoom): HostView {
  const { name, maxServers, maxCores, maxRamGb } = host;
  const used = usageOn(host, { leases, ready });
  return {
    ...{ name, most: { maxServers, maxCores, maxRamGb }, used: rounded(used), free: rounded(leftOf(used, host)) },
    ...{ words: hostWords(host), takesJobs: host.shut === undefined },
  };
}

/** What is left where somebody may be lent it. */
function freeOn(hosts: readonly HostView[]): Left {
  const open = hosts.filter(({ takesJobs }) => takesJobs);
  const sum = (of: keyof Usage) =>
    open.reduce<number | null>((all, { free }) => (all === null || free[of] === null ? null : all + free[of]), 0);
  return { servers: sum('servers'), cores: sum('cores'), ramGb: sum('ramGb') };
}

function machineView({ leases }: NodesDesk, { name, labels, out }: GivenMachine): MachineView {
  const lease = leases.find(({ machines = [] }) => machines.some((each) => each.name === name));
  const build = lease === undefined ? {} : { build: lease.build };
  if (out !== undefined) return { name, labels, state: 'out', why: out, ...build };
  return { name, labels, state: lease === undefined ? 'free' : 'lent', ...build };
}

/** At most two decimals: sums of fractions have many. */
function rounded<T extends Left>(sum: T): T {
  const round = (value: number | null) => value && Math.round(value * 100) / 100;
  return { ...sum, cores: round(sum.cores), ramGb: round(sum.ramGb) };
}

function lentRow(facts: NodesFacts, machines: Machines, lost: boolean): LentNodes {
  const row = buildNodes(facts, machines);
  const kept = facts.held.get(machines.workflow);
  if (kept === undefined) return { ...row, state: lost ? 'lost' : 'works' };
  const hold = { id: kept.id, until: kept.held.until };
  return { ...row, state: lost ? 'lost' : 'held', since: kept.held.time, hold };
}

function waitingRows(facts: NodesFacts, { provider, capacity, desk }: Desk): readonly WaitingNodes[] {
  const there = { leases: desk.leases, ready: desk.ready ?? [] };
  const left = leftOf(usageOf(desk), capacity);
  const lefts = capacity.hosts?.map((host) => ({ ...host, left: leftOf(usageOn(host, there), host) }));
  const lacks = ({ sizes, on }: NodesRequest) =>
    lefts === undefined
      ? lacking(sizes, left)
      : hostsFor(lefts, on).map(({ name, shut, left }) => {
          return { name, ...(shut && { shut }), lacks: lacking(sizes, left) };
        });
  return servingOrder(desk).map((request: NodesRequest, ahead) => ({
    ...buildNodes(facts, { provider, workflow: request.holder, ...request }),
    place: ahead + 1,
    why: waitsBecause(ahead, lacks(request), desk.closed === true),
  }));
}

/** What the record says, or, where there is none, the workflow's id. */
function buildNodes({ builds, held }: NodesFacts, { provider, workflow, build, sizes }: Machines): BuildNodes {
  const record = builds.get(workflow);
  const { pipeline, project, change, patchset, job } = record ?? named(workflow) ?? unnamed(held.get(workflow)?.job);
  // What is done by hand is of no change.
  const key = pipeline === handPipeline ? { change: null, patchset: null } : { change, patchset };
  return {
    ...{ provider, label: record?.label ?? '', build: record?.id ?? build, workflow },
    ...{ pipeline, project, ...key, job, since: record?.startTime ?? null },
    ...rounded(withMachines(nothing, sizes)),
  };
}

type Naming = Pick<BuildNodes, 'pipeline' | 'project' | 'change' | 'patchset' | 'job'>;

function named(workflow: string): Naming | null {
  try {
    return parseJobId(workflow);
  } catch {
    return null;
  }
}

function unnamed(job: string | null = null): Naming {
  return { pipeline: null, project: null, change: null, patchset: null, job };
}
