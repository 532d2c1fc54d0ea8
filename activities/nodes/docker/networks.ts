import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { ask, askIfThere } from './faults.ts';
import { labels, type Owner } from './labels.ts';

/**
 * The range that networks are cut from: kept for benchmarks by RFC 2544, so that no site uses it, and too many small
 * ones fit for the engine's own dozen to run out.
 */
export const containerRange = { address: '198.19.0.0', bits: 16 } as const;

/** How often another piece of the range is tried where one is taken, and a network removed that somebody is leaving. */
const tries = 30;
/** Milliseconds between two of the latter. */
const pause = 100;

const ownPrefix = 'sluice-own-';

/** Whether a network is that of one container. */
export function isOwn(name: string): boolean {
  return name.startsWith(ownPrefix);
}

interface NetworkPlan {
  readonly owner: Owner;
  readonly name: string;
  /** Only its members reach each other, and nothing else. */
  readonly internal: boolean;
}

/**
 * The engine gives the host an address in every network, an internal one too, by which its members would reach whatever
 * listens on all addresses of the host.
 */
const withoutHost = { 'com.docker.network.bridge.inhibit_ipv4': 'true' };

/** Makes a network for one container: nobody else is in it. @returns its name */
export async function createOwnNetwork(docker: Docker, owner: Owner): Promise<string> {
  const name = `${ownPrefix}${randomBytes(8).toString('hex')}`;
  await createNetwork(docker, { owner, name, internal: false });
  return name;
}

export async function createNetwork(docker: Docker, { owner, name, internal }: NetworkPlan): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const request = docker.createNetwork({
      Name: name,
      Internal: internal,
      Options: internal ? withoutHost : {},
      Labels: labels(owner),
      CheckDuplicate: true,
      IPAM: { Config: [{ Subnet: anySubnet() }] },
    });
    try {
      await ask('make a network', request);
      return;
    } catch (error) {
      if (attempt === tries || !/overlaps/i.test(String(error))) throw error;
    }
  }
}

/** The interface of a network that was not told another name. */
export function bridgeOf({ Id }: { readonly Id: string }): string {
  return `br-${Id.slice(0, 12)}`;
}

/** Removes networks, whoever is still in them; harmless when they are gone. */
export async function removeNetworks(docker: Docker, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => removeNetwork(docker, docker.getNetwork(name))));
}

async function removeNetwork(docker: Docker, network: Docker.Network): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await askIfThere('remove a network', network.remove());
      return;
    } catch (error) {
      if (attempt === tries || !/active endpoints/.test(String(error))) throw error;
    }
    const found = (await askIfThere('look at a network', network.inspect())) as Inspected | null;
    for (const Container of Object.keys(found?.Containers ?? {})) {
      await askIfThere('empty a network', docker.getNetwork(network.id).disconnect({ Container, Force: true }));
    }
    // One that is being removed leaves by itself.
    if (attempt > 1) await sleep(pause);
  }
}

interface Inspected {
  readonly Containers?: Readonly<Record<string, unknown>>;
}

/** 29 addresses each. */
function anySubnet(): string {
  const number = randomInt(2 ** 11);
  return `198.19.${number >> 3}.${(number & 7) * 32}/27`;
}
