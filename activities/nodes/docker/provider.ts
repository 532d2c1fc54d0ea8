import { isDeepStrictEqual } from 'node:util';
import { imageOf, type NodeKind, type Platform } from '../../../pipelines/model/platform.ts';
import type { AssignedMachine } from '../../../pipelines/nodes/machines.ts';
import { type Capture, type CaptureFile, captureNetwork } from '../capture.ts';
import { lending, takeOut } from '../lending.ts';
import type { Addresses, HeldMachine, LeaseRequest, MachineNeed, Provider } from '../port.ts';
import { ReadyOnes, readyNeed, readyWords } from '../ready.ts';
import type { Container, ContainerEngine, ContainerNetwork, ContainerSpec } from './spec.ts';

const networks = { open: 'default', shut: 'later', none: 'none' } as const;
/** Milliseconds for the small commands that wire the containers of a lease. */
const patience = 180_000;

/** Has a platform's images there, with that of nodes of this kind. */
export type Prepare = (platform: Platform, kind: NodeKind, tell?: (line: string) => void) => Promise<void>;

/**
 * Lends containers.
 *
 * @param prepare is waited for before a platform's image is used; absent: the images are there.
 */
export function createDockerProvider(engine: ContainerEngine, prepare: Prepare = async () => {}): Provider {
  const { basics } = lending((request) => new ContainerLease({ engine, prepare }, request));
  return {
    ...basics,
    async makeReady({ id, holder, platform }) {
      await prepare(platform, readyNeed.kind);
      await engine.start({ ...specOf({ ...readyNeed, platform }), build: id, holder });
    },
    whyNotReady: async (wish) => {
      const found = await findReady(engine, wish);
      return typeof found === 'string' ? found : null;
    },
    sweep: (build) => engine.sweep(build),
    list: () => engine.list(),
  };
}

/** A container that stands ready, or why it is not to be lent. */
async function findReady(
  engine: ContainerEngine,
  { id, platform }: { readonly id: string; readonly platform: Platform },
): Promise<Container | string> {
  const container = await engine.find(id);
  if (container === null) return 'it has ended';
  const image = imageOf(platform, readyNeed.kind);
  return (await container.origin()) === (await engine.imageId(image)) ? container : `${image} is another image by now`;
}

/** A container has the name, the network and the directories that it was made with. */
function isReadyNeed(need: MachineNeed): boolean {
  const { platform: _, ...wanted } = need;
  return isDeepStrictEqual(wanted, readyNeed);
}

interface Member {
  readonly need: MachineNeed;
  readonly container: Promise<Container>;
}

/** The containers of one lease, and the network that they share once they are introduced or secluded. */
class ContainerLease {
  readonly #engine: ContainerEngine;
  readonly #prepare: Prepare;
  readonly #request: LeaseRequest;
  readonly #ready: ReadyOnes;
  readonly #tell: ((line: string) => void) | undefined;
  readonly #members: Member[] = [];
  #found: Container | null = null;
  #network: Promise<ContainerNetwork> | undefined;
  #introduced: Promise<Addresses> | undefined;
  #secluded: Promise<Addresses> | undefined;

  constructor(
    { engine, prepare }: { readonly engine: ContainerEngine; readonly prepare: Prepare },
    { build, holder, machines, waiting }: LeaseRequest,
  ) {
    this.#engine = engine;
    this.#prepare = prepare;
    this.#request = { build, ...(holder === undefined ? {} : { holder }) };
    this.#ready = new ReadyOnes(machines);
    this.#tell = waiting?.tell;
  }

  start(need: MachineNeed): Promise<Container> {
    const container = this.#start(need, this.#ready.take(need.platform.name));
    this.#members.push({ need, container });
    return container;
  }

  async renew(name: string): Promise<Container> {
    const { need, container } = takeOut(this.#members, name);
    await (await container).remove();
    return this.start(need);
  }

  async #start(need: MachineNeed, ready: AssignedMachine | undefined): Promise<Container> {
    await this.#prepare(need.platform, need.kind, this.#tell);
    if (ready !== undefined) {
      const begin = performance.now();
      const { name: id } = ready;
      const found = isReadyNeed(need) ? await findReady(this.#engine, { id, platform: need.platform }) : null;
      if (found !== null && typeof found !== 'string') {
        this.#tell?.(readyWords(need.name, ready, begin));
        return found;
      }
      // It counts for this lease, and so does what takes its place.
      await this.#engine.sweep(id);
    }
    return this.#engine.start({ ...specOf(need), ...this.#request });
  }

  async find(): Promise<Container | null> {
    this.#found = await this.#engine.find(this.#request.build);
    return this.#found;
  }

  seclude(signal: AbortSignal): Promise<Addresses> {
    this.#secluded ??= this.#wire(signal, (machine) => machine.close());
    return this.#secluded;
  }

  async capture(file: CaptureFile): Promise<Capture | null> {
    const network = await this.#network;
    return network === undefined ? null : captureNetwork({ link: await network.link() }, file);
  }

  introduce(signal: AbortSignal): Promise<Addresses> {
    this.#introduced ??= this.#wire(signal);
    return this.#introduced;
  }

  /** @param before what is done to each before it joins the network of all */
  async #wire(signal: AbortSignal, before?: (machine: Container) => Promise<void>): Promise<Addresses> {
    const name = `sluice-${this.#request.build}`;
    this.#network ??= this.#engine.createNetwork(name, { internal: true, ...this.#request });
    const network = await this.#network;
    const members = this.#members.filter(({ need }) => !need.apart);
    const addresses: Record<string, string> = {};
    for (const { need, container } of members) {
      const machine = await container;
      await before?.(machine);
      addresses[need.name] = await machine.connect(network.name);
    }
    const names = Object.entries(addresses).map(([name, address]) => `${address} ${name}\n`);
    const input = `127.0.0.1 localhost\n${names.join('')}`;
    for (const { container } of members) {
      // The engine keeps /etc/hosts mounted, so it is written in place.
      const write = ['sh', '-c', 'cat > /etc/hosts'];
      const { code, output } = await (await container).exec(write, { input, signal, timeout: patience });
      if (code !== 0) throw new Error(`cannot name the nodes: ${output}`);
    }
    return addresses;
  }

  async hold(): Promise<readonly HeldMachine[]> {
    const made = await Promise.allSettled(this.#members.map(({ container }) => container));
    const started = made.flatMap((outcome, index) =>
      outcome.status === 'fulfilled' ? [{ name: this.#members[index]?.need.name ?? '', container: outcome.value }] : [],
    );
    const found = this.#found === null ? [] : [{ name: await hostOf(this.#found), container: this.#found }];
    return [...started, ...found].map(({ name, container: { id } }) => ({ name, command: shellIn(id) }));
  }

  /** What could not be made has taken itself away. */
  async release(): Promise<void> {
    const made = await Promise.allSettled(this.#members.map(({ container }) => container));
    const containers = made.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    if (this.#found !== null) containers.push(this.#found);
    await Promise.all(containers.map((container) => container.remove()));
    const network = await this.#network?.catch(() => undefined);
    await network?.remove();
  }
}

/** A container by its id: it has no other name. */
function shellIn(id: string): string {
  return `docker exec -it ${id.slice(0, 12)} sh`;
}

async function hostOf(container: Container): Promise<string> {
  return (await container.exec(['hostname'], { signal: AbortSignal.timeout(patience) })).output.trim();
}

function specOf(need: MachineNeed): Omit<ContainerSpec, 'build'> {
  const { name, platform, kind, network, group, scratch = [], memory = [], mounts = [] } = need;
  return {
    image: imageOf(platform, kind),
    hostname: name,
    network: networks[network],
    limits: platform.limits,
    privileges: kind === 'system' ? 'system' : 'default',
    mounts: mounts.map((mount) => ({ ...mount, readOnly: true })),
    ...(group === undefined ? {} : { group }),
    scratch,
    memory,
  };
}
