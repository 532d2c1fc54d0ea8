import { randomBytes, randomInt } from 'node:crypto';
import type Docker from 'dockerode';
import { ask, askIfThere } from './faults.ts';
import { labels, type Owner } from './labels.ts';

/**
 * The range that networks are cut from: kept for benchmarks by RFC 2544, so that no site uses it, and too many small
 * ones fit for the engine's own dozen to run out.
 */
export const containerRange = '198.19.0.0/16';

/** How often another piece of the range is tried where one is taken. */
const tries = 30;

interface NetworkPlan {
  readonly owner: Owner;
  readonly name: string;
  /** Only its members reach each other, and nothing else. */
  readonly internal: boolean;
}

/** Makes a network for one container: nobody else is in it. @returns its name */
export async function createOwnNetwork(docker: Docker, owner: Owner): Promise<string> {
  const name = `sluice-${randomBytes(8).toString('hex')}`;
  await createNetwork(docker, { owner, name, internal: false });
  return name;
}

export async function createNetwork(docker: Docker, { owner, name, internal }: NetworkPlan): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const request = docker.createNetwork({
      Name: name,
      Internal: internal,
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

/** Removes networks; harmless when they are gone. */
export async function removeNetworks(docker: Docker, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => askIfThere('remove a network', docker.getNetwork(name).remove())));
}

/** 29 addresses each. */
function anySubnet(): string {
  const number = randomInt(2 ** 11);
  return `198.19.${number >> 3}.${(number & 7) * 32}/27`;
}
