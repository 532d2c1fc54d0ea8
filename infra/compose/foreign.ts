import { hostArch } from '../../activities/host-arch.ts';
import { patience } from '../../activities/jobs/jobs.ts';
import { debianName, foreignTo } from '../../pipelines/model/architecture.ts';
import { providerOf } from '../../pipelines/model/platform.ts';
import { nodelessStages } from '../../pipelines/nodes/wanted.ts';
import { type BuildRecord, taskQueues } from '../../workflows/contract.ts';
import type { Common } from '../common/common.ts';
import type { Config } from '../config/load.ts';
import { binfmtDirectory, findEmulation, whyNotHere } from '../images/emulation.ts';
import { isForeign } from '../images/platforms.ts';
import { type Asked, isServedBy, pollersOf } from './pollers.ts';

/**
 * The architectures besides this machine's own that its worker takes jobs of, as Debian names them. By this kernel, also
 * where containers run on another machine.
 */
export async function emulatedHere(
  { workers }: Pick<Config, 'workers'>,
  directory = binfmtDirectory,
): Promise<readonly string[]> {
  if (workers.build === 0 || !workers.emulate) return [];
  const others = foreignTo(hostArch());
  const found = await Promise.all(others.map((arch) => findEmulation(arch, directory)));
  return others.filter((_, i) => found[i] === 'runs');
}

/**
 * Whether a worker takes jobs without nodes from their own queue. The server's worker does, as it is of the same version:
 * of that nobody is asked, so that it also holds before that worker has begun.
 */
export function isServedIn(config: Pick<Config, 'workers'>, client: Parameters<typeof isServedBy>[0]) {
  const others = isServedBy(client);
  return async (queue: string): Promise<boolean> => {
    const archs = config.workers.build === 0 ? [] : [hostArch(), ...(await emulatedHere(config))];
    const own = archs.flatMap((arch) => nodelessStages.map((stage) => taskQueues.nodeless(stage, arch)));
    return own.includes(queue) || others(queue);
  };
}

type Running = Pick<BuildRecord, 'label' | 'stage' | 'startTime' | 'waiting'>;

type Unserved = Pick<Common, 'config' | 'findPlatform'> & {
  /** Builds that have not ended. */
  readonly running: () => Promise<readonly Running[]>;
  readonly directory?: string;
};

/**
 * Why nobody takes jobs on a platform of another architecture than the server's; null where somebody does, or will: the
 * server's worker begins with its own platforms and with what it finds emulated.
 */
export function whyUnservedIn({ config, findPlatform, running, directory = binfmtDirectory }: Unserved, client: Asked) {
  return async (label: string): Promise<string | null> => {
    const platform = findPlatform(label);
    if (platform === undefined || providerOf(platform) !== 'docker' || !isForeign(platform)) return null;
    const arch = debianName(platform.arch);
    // As the worker itself asks: what it does not serve, nobody is to wait for.
    if ((await emulatedHere(config, directory)).includes(arch)) return null;
    if ((await pollersOf(client, taskQueues.build(arch))).length > 0) return null;
    // A worker with all of its places taken asks for nothing, for hours maybe.
    if ((await running()).some((build) => isAtWork(build, arch, findPlatform))) return null;
    const why = (await whyNotHere(platform, directory)) ?? `${label} is for ${arch}, and ${noneHere(config)}`;
    return `${why}, or start a worker on a machine for ${arch} (docs/workers.md)`;
  };
}

/** Whether a worker of that architecture has a build in its hands. */
function isAtWork(
  { label, stage, startTime, waiting }: Running,
  arch: string,
  findPlatform: Common['findPlatform'],
): boolean {
  // A release waits for the signer as well; and what has just come waits for nobody yet.
  if (waiting === true || stage === 'release' || Date.now() - startTime < 2 * patience) return false;
  return label.split(' ').some((one) => {
    const platform = findPlatform(one);
    return platform !== undefined && providerOf(platform) === 'docker' && debianName(platform.arch) === arch;
  });
}

/** Of an engine on another machine nobody knows what it emulates. */
function noneHere({ workers }: Pick<Config, 'workers'>): string {
  return workers.build > 0 && workers.emulate
    ? "the server's worker takes no jobs for that"
    : 'sluice.yaml has no jobs emulated here';
}
