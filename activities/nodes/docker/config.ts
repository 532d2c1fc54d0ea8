import type Docker from 'dockerode';
import { groupLabel, labels, type Owner } from './labels.ts';
import type { ContainerSpec } from './spec.ts';

const mebibyte = 1024 * 1024;

/** Process 1: waits, reaps orphans, and cannot be killed from inside. */
const waitForEver = ['/bin/sh', '-c', 'trap : TERM INT; while :; do sleep 3600 & wait $!; done'];

/** A directory of a container that is a volume of its own. */
export interface ScratchVolume {
  readonly name: string;
  readonly target: string;
}

/** What a container is made of besides what its spec says. */
export interface Surroundings {
  readonly owner: Owner;
  readonly scratch: readonly ScratchVolume[];
  /** The network that it is in from the start. */
  readonly network: string;
}

export function containerConfig(spec: ContainerSpec, around: Surroundings): Docker.ContainerCreateOptions {
  return {
    Image: spec.image,
    Cmd: waitForEver,
    Entrypoint: '',
    User: 'root',
    Hostname: spec.hostname ?? 'sluice',
    Labels: { ...labels(around.owner), ...(spec.group === undefined ? {} : { [groupLabel]: spec.group }) },
    HostConfig: {
      NetworkMode: around.network,
      ExtraHosts: Object.entries(spec.hosts ?? {}).map(([host, address]) => `${host}:${address}`),
      ...resourceLimits(spec, around.scratch.length),
      ...privileges[spec.privileges],
      Tmpfs: { ...lockDirectory, ...Object.fromEntries((spec.memory ?? []).map((path) => [path, inMemory])) },
      Mounts: [
        ...(spec.mounts ?? []).map((mount) => bindMount(mount)),
        ...around.scratch.map(({ name, target }) => ({ Type: 'volume' as const, Source: name, Target: target })),
      ],
    },
  };
}

/** What package managers need as root: files of any owner, other users, file capabilities, ending others' programs. */
const packaging = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETFCAP', 'SETGID', 'SETUID'];
/** What daemons and `su` need besides on a system that is tried out. */
const running = ['AUDIT_WRITE', 'NET_BIND_SERVICE', 'SETPCAP', 'SYS_CHROOT'];

const noGain = { SecurityOpt: ['no-new-privileges'] };
const privileges: Readonly<Record<ContainerSpec['privileges'], Docker.HostConfig>> = {
  none: { CapDrop: ['ALL'], ...noGain },
  default: { CapDrop: ['ALL'], CapAdd: packaging, ...noGain },
  // Programs with the set-user-id bit are part of what is tried.
  system: { CapDrop: ['ALL'], CapAdd: [...packaging, ...running] },
};

/** Containers have no swap of their own, so that memory is all that it is. */
const inMemory = 'rw,noexec,nosuid,nodev,size=1m,mode=0755';
/** The one directory besides those for temporary files that everybody may write to: not onto the engine's disk. */
const lockDirectory = { '/run/lock': 'rw,noexec,nosuid,nodev,size=1m,mode=1777' };

function bindMount(mount: { readonly source: string; readonly target: string; readonly readOnly: boolean }) {
  return { Type: 'bind' as const, Source: mount.source, Target: mount.target, ReadOnly: mount.readOnly };
}

function resourceLimits({ limits }: ContainerSpec, scratchVolumes: number): Docker.HostConfig {
  const memory = (limits.memoryMiB + scratchVolumes * limits.diskMiB) * mebibyte;
  const swap = memory;
  return { NanoCpus: limits.cpus * 1e9, Memory: memory, MemorySwap: swap, PidsLimit: limits.pids };
}
