import type { Platform } from '../model/platform.ts';
import type { GivenMachine } from './machines.ts';

/** What one machine takes from its provider. */
export interface Size {
  readonly cores: number;
  readonly ramGb: number;
  /** Its label, where the provider has machines of its own for each, or where one that stands ready would do. */
  readonly label?: string;
}

/** What a machine of a platform takes: all that its limits are. */
export function sizeWithin({ cpus, memoryMiB }: Pick<Platform['limits'], 'cpus' | 'memoryMiB'>): Omit<Size, 'label'> {
  return { cores: cpus, ramGb: memoryMiB / 1024 };
}

/** What machines take together. */
export interface Usage extends Omit<Size, 'label'> {
  readonly servers: number;
}

/** How many nodes of a label are to stand ready: Zuul's `min-ready`. */
export interface ReadyWish {
  readonly label: string;
  readonly size: Size;
  readonly min: number;
  /** Milliseconds after which one is replaced (`max-ready-age`); absent: it stays as long as it is good. */
  readonly maxAge?: number | undefined;
  /** Task queue of the machine that they stand on; absent: whichever of the provider's hosts has room. */
  readonly queue?: string;
}

/** What there is at most; what is not named is not counted. */
export interface Limits {
  readonly maxServers?: number | undefined;
  readonly maxCores?: number | undefined;
  readonly maxRamGb?: number | undefined;
}

/** A host that machines are on. It has limits of its own, and the machines of a request are all on one: they share a network. */
export interface HostRoom extends Limits {
  readonly name: string;
  /** Task queue of those who make machines there. */
  readonly queue: string;
  /** Why it takes no more of them now; absent: it does. */
  readonly shut?: string;
  /** Beside `shut`: it may take some again soon, which is worth waiting for. */
  readonly soon?: true;
  /** Beside `shut`: it does not answer, so that nothing there can be made, looked at, or removed. */
  readonly away?: true;
}

/** What a provider has. */
export interface Capacity extends Limits {
  /** All that there are, where each is lent as it is: nothing else limits such a provider. */
  readonly machines?: readonly GivenMachine[];
  /** The hosts that its machines are on, each with limits of its own; absent: these limits are all there is. */
  readonly hosts?: readonly HostRoom[];
  /** Task queue of the only machine that they may be on where there are no `hosts`; absent: that is not said. */
  readonly queue?: string;
  /** Whether requests of one precedence are served by Zuul's relative priority; absent: the oldest first. */
  readonly relativePriority?: true;
  /** What is to stand ready besides what is lent, as far as there is room. */
  readonly ready?: readonly ReadyWish[];
}

export const nothing: Usage = { servers: 0, cores: 0, ramGb: 0 };

/** What is used when these machines come to what there is. */
export function withMachines(usage: Usage, sizes: readonly Size[]): Usage {
  const sum = (start: number, of: (size: Size) => number) => sizes.reduce((total, size) => total + of(size), start);
  return {
    servers: usage.servers + sizes.length,
    cores: sum(usage.cores, ({ cores }) => cores),
    ramGb: sum(usage.ramGb, ({ ramGb }) => ramGb),
  };
}

/** What is used by all that is lent. */
export function lentBy(leases: readonly { readonly sizes: readonly Size[] }[]): Usage {
  return leases.reduce((usage, { sizes }) => withMachines(usage, sizes), nothing);
}

/** The limits that a usage exceeds, in words for people; none when it fits. */
export function excess({ servers, cores, ramGb }: Usage, limits: Limits): readonly string[] {
  const { maxServers = Infinity, maxCores = Infinity, maxRamGb = Infinity } = limits;
  return [
    ...(servers > maxServers ? [`${servers} of ${maxServers} servers`] : []),
    ...(cores > maxCores ? [`${cores} of ${maxCores} cores`] : []),
    ...(ramGb > maxRamGb ? [`${ramGb} of ${maxRamGb} GB of memory`] : []),
  ];
}
