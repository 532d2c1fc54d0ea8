import { hostname } from 'node:os';
import { join } from 'node:path';
import { vmDirectory } from '../../activities/nodes/registry.ts';
import type { HostSettings } from '../../activities/nodes/vm/hosts/ssh/settings.ts';
import { type HostState, readHostState } from '../../activities/nodes/vm/hosts/states.ts';
import { readSecret } from '../../activities/review/secret.ts';
import type { Capacity, HostRoom } from '../../pipelines/nodes/capacity.ts';
import { totalOf } from '../../pipelines/nodes/hosts.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { type Config, invalidAt } from '../config/load.ts';
import type { VmHost } from '../config/vm-hosts.ts';

/** Other machines that virtual machines run on, as configured. */
export type VmHosts = Readonly<Record<string, VmHost>>;

/** Milliseconds for which a host that is away is expected back. */
const patience = 60_000;

/** A host elsewhere, and where on it all is that belongs to this installation. */
export interface FarHost extends HostSettings {
  readonly directory: string;
  /** Where its `key` is read. */
  readonly keyFrom: VmHost['key'];
}

/** @param installation whose machines they are: others may share the host */
export function farHosts(hosts: VmHosts, installation: string): readonly FarHost[] {
  return Object.entries(hosts).map(([name, { host, port, user, hostKey, key, directory }]) => ({
    ...{ name, host, port, user, hostKey },
    key: () => readSecret(key),
    keyFrom: key,
    directory: join(directory, installation),
  }));
}

/**
 * Asked by the server's processes alone: a file is also read on other machines, which a host may be.
 *
 * @throws InvalidConfiguration for a host with the name of this machine: both would take each other's work
 */
export function requireOtherNames({ file, nodes }: Pick<Config, 'file' | 'nodes'>): void {
  const own = hostname();
  if (file === null || !Object.hasOwn(nodes.vm.hosts, own)) return;
  const message = "is the name of the server's own machine, whose limits are those of `nodes.vm`: name it otherwise";
  throw invalidAt(file, [{ path: ['nodes', 'vm', 'hosts', own], message }]);
}

/** Where the workers of hosts say how these are. */
export function hostStates(data: string): string {
  return join(vmDirectory(data), 'hosts');
}

/** What virtual machines have at most: that of the server's host, and of each other one. */
export async function withHosts(own: Capacity, hosts: VmHosts, data: string): Promise<Capacity> {
  const { maxServers, maxCores, maxRamGb } = own;
  const name = hostname();
  const queue = taskQueues.host(name);
  if (Object.keys(hosts).length === 0) return { ...own, queue };
  const here = { name, queue, maxServers, maxCores, maxRamGb };
  const others = await Promise.all(
    Object.entries(hosts).map(async ([name, host]) =>
      roomOf(name, host, { state: await readHostState(hostStates(data), name), now: Date.now() }),
    ),
  );
  const all = [here, ...others];
  return { ...own, ...totalOf(all), hosts: all };
}

/** What a host has, by its settings and by what its worker says of it. */
export function roomOf(
  name: string,
  { maxServers, maxCores, maxRamGb, drain }: Pick<VmHost, 'maxServers' | 'maxCores' | 'maxRamGb' | 'drain'>,
  { state, now }: { readonly state: HostState | null; readonly now: number },
): HostRoom {
  const room = { name, queue: taskQueues.host(name), maxServers, maxCores, maxRamGb };
  const away = state?.state === 'open' ? {} : { away: true as const };
  if (drain) return { ...room, shut: 'it is being drained', ...away };
  if (state === null || state.state === 'stopped') {
    // Also what keeps its worker from beginning may be over, and is not known yet.
    return { ...room, shut: state?.why || 'its worker has not begun', soon: true, ...away };
  }
  if (state.state === 'open') return room;
  return { ...room, shut: state.why, ...(now - state.since < patience && { soon: true as const }), ...away };
}
