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
  /** Task queue of the machine that they stand on. */
  readonly queue: string;
}

/** What a provider has at most; what it does not name is not counted. */
export interface Capacity {
  readonly maxServers?: number | undefined;
  readonly maxCores?: number | undefined;
  readonly maxRamGb?: number | undefined;
  /** All that there are, where each is lent as it is: nothing else limits such a provider. */
  readonly machines?: readonly GivenMachine[];
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

/** The limits that a usage exceeds, in words for people; none when it fits. */
export function excess({ servers, cores, ramGb }: Usage, capacity: Capacity): readonly string[] {
  const { maxServers = Infinity, maxCores = Infinity, maxRamGb = Infinity } = capacity;
  return [
    ...(servers > maxServers ? [`${servers} of ${maxServers} servers`] : []),
    ...(cores > maxCores ? [`${cores} of ${maxCores} cores`] : []),
    ...(ramGb > maxRamGb ? [`${ramGb} of ${maxRamGb} GB of memory`] : []),
  ];
}
