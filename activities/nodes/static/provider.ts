import { lookup } from 'node:dns/promises';
import { imageOf } from '../../../pipelines/model/platform.ts';
import { quoted } from '../../process/quoted.ts';
import { lending } from '../lending.ts';
import { assertName } from '../names.ts';
import type { Addresses, HeldMachine, LeaseRequest, Machine, MachineNeed, Provider } from '../port.ts';
import { introduce } from './clean.ts';
import { createGivenMachine, furnishGiven, keepsNetwork } from './machine.ts';
import { type ClaimedMachine, type Mended, Park, type ParkDeps } from './park.ts';

/** Lends machines that are there, and brings them back into service. */
export interface GivenProvider extends Provider {
  /** Tries to clean what nobody has and is not clean; says what has become of each. */
  mend(): Promise<readonly Mended[]>;
}

/**
 * Lends machines that an administrator has described, over ssh, each to one build at a time. They are cleaned before
 * and after; what cannot be cleaned, or does not answer, is out of service until it can.
 */
export function createGivenProvider(deps: ParkDeps): GivenProvider {
  const park = new Park(deps);
  const { basics } = lending((request) => {
    assertName('build', request.build);
    return new GivenLease(park, request);
  });
  return {
    ...basics,
    async sweep(build) {
      assertName('build', build);
      await park.giveBack(build);
    },
    list: () => park.list(),
    mend: () => park.mend(),
  };
}

interface Member {
  readonly name: string;
  readonly claimed: Promise<ClaimedMachine>;
}

/** The machines of one lease. */
class GivenLease {
  readonly #park: Park;
  readonly #request: LeaseRequest;
  readonly #members: Member[] = [];
  /** What the desk has assigned, as long as no node stands for it. */
  readonly #assigned: { readonly label: string; readonly name: string }[];

  constructor(park: Park, request: LeaseRequest) {
    this.#park = park;
    this.#request = request;
    this.#assigned = [...(request.machines ?? [])];
  }

  async start(need: MachineNeed): Promise<Machine> {
    const { name: node, platform, kind, network } = need;
    const label = imageOf(platform, kind);
    if (network !== 'open') throw new Error(keepsNetwork(label));
    const index = this.#assigned.findIndex((each) => each.label === label);
    if (index < 0 && this.#request.machines !== undefined) throw new Error(`this job was lent no machine for ${label}`);
    const [assigned] = index < 0 ? [] : this.#assigned.splice(index, 1);
    const claimed = this.#park.claim({ request: this.#request, label, node, name: assigned?.name });
    this.#members.push({ name: node, claimed });
    const machine = this.#machine(await claimed);
    await furnishGiven(await claimed, machine, need);
    return machine;
  }

  async find(): Promise<Machine | null> {
    const [found] = await this.#park.of(this.#request.build);
    return found === undefined ? null : this.#machine(found);
  }

  async seclude(): Promise<never> {
    throw new Error(keepsNetwork(this.#members.map(({ name }) => name).join(', ')));
  }

  /** Their addresses are those by which this host knows them. */
  async introduce(): Promise<Addresses> {
    const all = await Promise.all(this.#members.map(async (one) => ({ ...(await one.claimed), node: one.name })));
    const places = await Promise.all(all.map(async ({ settings: { host } }) => (await lookup(host)).address));
    const names = all.flatMap(({ node }, index) => [places[index] ?? '', node]);
    for (const { remote } of all) await introduce(remote, names);
    return Object.fromEntries(all.map(({ node }, index) => [node, places[index] ?? '']));
  }

  async release(): Promise<void> {
    await Promise.allSettled(this.#members.map(({ claimed }) => claimed));
    await this.#park.giveBack(this.#request.build);
  }

  async hold(): Promise<readonly HeldMachine[]> {
    return Promise.all(
      this.#members.map(async ({ name, claimed }) => {
        const { host, port, user } = (await claimed).settings;
        return { name, command: `ssh -p ${port} ${quoted([`${user}@${host}`])}` };
      }),
    );
  }

  #machine(claimed: ClaimedMachine): Machine {
    const isMine = () => this.#park.has(this.#request.build, claimed.settings);
    return createGivenMachine(claimed, isMine, this.#park.urlInside);
  }
}
