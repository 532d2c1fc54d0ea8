import { statSync } from 'node:fs';
import { hostArch } from '../../activities/host-arch.ts';
import type { GatedProject } from '../../activities/layout/layouts.ts';
import { templatesFor } from '../../pipelines/model/architecture.ts';
import { broken, type ConfigNotice, differs, type Reloaded } from '../../pipelines/report/config-notice.ts';
import { changedKeys } from '../config/changes.ts';
import { type Config, InvalidConfiguration, loadConfig } from '../config/load.ts';
import { placeOf } from '../config/project-places.ts';
import { entryOf, expandProjects } from '../config/projects.ts';
import type { StackConfig } from '../stack/settings.ts';
import { requireOwnArchitecture } from './own-architecture.ts';
import { requireOtherNames } from './vm-hosts.ts';

/** Keys that are taken over while the server runs; every other one is read by a process as it starts. */
const live = ['projects', 'config-projects', 'mirrors', 'nodes', 'retention'] as const;

/** Below these keys, what is read as a process starts all the same. */
const atStart = ['nodes.static', 'nodes.docker.instanceTypes', 'nodes.vm.instanceTypes', 'nodes.vm.mirrors'] as const;

/** Of these, the ones that hold as soon as they are written: `sluice project add` waits for nothing. */
const immediate = ['projects', 'config-projects'] as const;

export type LiveSettings = Pick<Config, (typeof live)[number]>;

/** The configuration of a running server, and its file. */
export interface LiveConfig {
  /** What is in force. */
  settings(): LiveSettings;
  /**
   * The projects under the gate as the file has them now: while it is broken, those that were read before stay. Those
   * of a connection that this process was not started with are not among them yet.
   */
  projects(): readonly GatedProject[];
  /** What the file says of a project by that name, itself or by a pattern. */
  project(name: string): Config['projects'][string] | undefined;
  /**
   * Reads the file again, and takes over what can be taken over.
   *
   * @throws InvalidConfiguration with everything that is wrong: then nothing has changed.
   */
  reload(): Reloaded;
  /**
   * What the file says now, in force from then on; it is read when it looks otherwise than before.
   *
   * @throws InvalidConfiguration as long as it is broken: then nothing has changed
   */
  latest(): LiveSettings;
  /** How the file differs from what runs; null when it does not. */
  notice(): ConfigNotice | null;
}

/** A configuration as it was when its file looked like this from outside. */
interface Read {
  readonly stamp: string;
  readonly config: Config | InvalidConfiguration;
}

/**
 * @param config what this process was started with: it may be older than the file
 * @param listed what the host of a connection has, for patterns of projects
 */
export function createLiveConfig(
  config: StackConfig,
  listed: (connection: string) => readonly string[] = () => [],
): LiveConfig {
  const { asRead, ...own } = config;
  const started: Config = { ...own, ...asRead };
  const file = config.file ?? undefined;
  let read: Read = { stamp: 'as started', config: started };
  let inForce: LiveSettings = started;
  // A process that comes back takes what can be taken without a restart: it has just had one.
  inForce = { ...inForce, ...takenLive(look()) };
  /** What people were told of last. */
  let told = inForce;

  function look(): Config | InvalidConfiguration {
    const stamp = stampOf(file ?? 'sluice.yaml');
    if (stamp !== read.stamp) read = { stamp, config: load({ file, ...config.given }) };
    if (!(read.config instanceof InvalidConfiguration)) inForce = { ...inForce, ...taken(read.config, immediate) };
    return read.config;
  }

  function takenLive(found: Config | InvalidConfiguration): Partial<LiveSettings> {
    const { nodes, ...rest } = taken(found, live);
    return nodes === undefined ? rest : { ...rest, nodes: { ...nodes, static: started.nodes.static } };
  }

  return {
    settings: () => inForce,
    projects() {
      look();
      const { connections } = started;
      return toProjects(inForce, listed).filter(({ connection }) => Object.hasOwn(connections, connection));
    },
    project(name) {
      look();
      return entryOf(inForce.projects, name);
    },
    reload() {
      read = { stamp: 'to be read', config: started };
      const found = look();
      if (found instanceof InvalidConfiguration) throw found;
      const changed = changedKeys({ ...started, ...told }, found);
      inForce = { ...inForce, ...takenLive(found) };
      told = inForce;
      return { file: found.file, applied: changed.filter(isLive), restart: changed.filter((key) => !isLive(key)) };
    },
    latest() {
      const found = look();
      if (found instanceof InvalidConfiguration) throw found;
      inForce = { ...inForce, ...takenLive(found) };
      return inForce;
    },
    notice() {
      const found = look();
      if (found instanceof InvalidConfiguration) return broken(found.message.split('\n'));
      const changed = changedKeys({ ...started, ...inForce }, found);
      if (changed.length === 0) return null;
      return differs(
        changed.filter(isLive),
        changed.filter((key) => !isLive(key)),
      );
    },
  };
}

function taken(config: Config | InvalidConfiguration, keys: readonly (keyof LiveSettings)[]): Partial<LiveSettings> {
  if (config instanceof InvalidConfiguration) return {};
  return Object.fromEntries(keys.map((key) => [key, config[key]]));
}

function isLive(key: string): boolean {
  return !atStart.some((one) => isBelow(key, one)) && live.some((one) => isBelow(key, one));
}

function isBelow(key: string, one: string): boolean {
  return key === one || key.startsWith(`${one}.`);
}

function load(options: { readonly file?: string | undefined; readonly data?: string }): Config | InvalidConfiguration {
  try {
    const config = loadConfig(options);
    requireOtherNames(config);
    requireOwnArchitecture(config);
    return config;
  } catch (error) {
    if (error instanceof InvalidConfiguration) return error;
    throw error;
  }
}

function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 'none' : [found.mtimeMs, found.size, found.ino].join(' ');
}

function toProjects(config: LiveSettings, listed: (connection: string) => readonly string[]): readonly GatedProject[] {
  return [...expandProjects(config, listed)].map(([name, entry]) => {
    const { connection, queue, branches } = entry;
    const at = placeOf(entry);
    return {
      name,
      connection,
      trusted: config['config-projects'].includes(name),
      templates: templatesFor(entry, hostArch()),
      ...(queue === undefined ? {} : { queue }),
      ...(branches === undefined ? {} : { branches }),
      ...(at === undefined ? {} : { at }),
    };
  });
}
