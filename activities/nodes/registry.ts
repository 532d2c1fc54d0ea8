import { join } from 'node:path';
import type { PlatformProvider } from '../../pipelines/model/platform.ts';
import { byPlatform } from './by-platform.ts';
import { createDockerEngine } from './docker/engine.ts';
import { createDockerProvider, type Prepare } from './docker/provider.ts';
import type { Provider } from './port.ts';
import { createGivenProvider, type GivenProvider } from './static/provider.ts';
import type { GivenSettings } from './static/settings.ts';
import { createVmProvider, type PrepareMachines } from './vm/provider.ts';
import { type Places, placesIn } from './vm/records.ts';
import type { SnapshotLimits } from './vm/snapshots.ts';
import { waysTo } from './vm/ways.ts';

/** What every driver is given of whoever lends. */
export interface ProviderContext {
  /** Whose everything is that is made; absent for what is made by hand. */
  readonly installation?: {
    readonly id: string;
    /** Its data directory, for people. */
    readonly data: string;
  };
  /** Has a platform's container images there before they are used; absent: they are there. */
  readonly prepare?: Prepare;
  /** How virtual machines are lent; absent: with nothing that they may reach, and none of failed jobs are kept. */
  readonly virtual?: VirtualContext;
  /** Machines that are there; absent: none are lent here. */
  readonly given?: GivenContext;
}

/** What belongs to machines that are there alone. */
export interface GivenContext {
  readonly machines: readonly GivenSettings[];
  /** A URL of the server as they reach it. */
  readonly urlInside?: ((url: string) => string) | undefined;
}

/** What belongs to virtual machines alone. */
export interface VirtualContext {
  /** URLs of all that they may reach: repositories, and nothing else. */
  readonly reached: () => Promise<readonly string[]>;
  /** What of failed jobs may be kept, and how long. */
  readonly kept: SnapshotLimits;
  readonly prepare: PrepareMachines;
  /** Where they are; absent: on this machine, with all that is the installation's. */
  readonly places?: Places;
  /** A URL of the server as their host reaches it; absent: as this machine does. */
  readonly urlThere?: ((url: string) => string) | undefined;
}

const drivers: Readonly<Record<PlatformProvider, (context: ProviderContext) => Provider>> = {
  docker: ({ installation, prepare }) => createDockerProvider(createDockerEngine(undefined, installation), prepare),
  vm: ({ installation, virtual }) => {
    if (installation === undefined) throw new Error('virtual machines are lent by an installation');
    const { places = placesIn(vmDirectory(installation.data)), urlThere } = virtual ?? {};
    const ways = async () => waysTo((await virtual?.reached()) ?? []);
    const more = virtual === undefined ? {} : { limits: virtual.kept, prepare: virtual.prepare };
    return createVmProvider({ places, installation: installation.id, ways, urlThere, ...more });
  },
  static: openGiven,
};

/** What lends the machines that are there. */
export function openGiven({ installation, given }: Pick<ProviderContext, 'installation' | 'given'>): GivenProvider {
  const directory = givenDirectory(installation?.data ?? '');
  return createGivenProvider({ directory, installation: installation?.id ?? null, machines: [], ...given });
}

/** Where it stands who has which of an installation's static machines. */
export function givenDirectory(data: string): string {
  return join(data, 'static-machines');
}

/** Where the virtual machines of an installation are, and what they are made of. */
export function vmDirectory(data: string): string {
  return join(data, 'vm');
}

/** Opens all providers as one: each node comes from its platform's. */
export function openProviders(context: ProviderContext): Provider {
  const open = (driver: PlatformProvider) => openProvider(driver, context);
  return byPlatform({ docker: open('docker'), vm: open('vm'), static: open('static') });
}

/** Opens a provider by its driver. @throws an error that names the drivers for one that there is not. */
export function openProvider(driver: string, context: ProviderContext = {}): Provider {
  const open = Object.hasOwn(drivers, driver) ? drivers[driver as PlatformProvider] : undefined;
  if (open !== undefined) return open(context);
  const known = Object.keys(drivers).join(', ');
  throw new Error(`there is no node driver ${JSON.stringify(driver)}; there are: ${known}`);
}
