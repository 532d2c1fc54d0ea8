import { quoted } from '../../process/quoted.ts';
import { timed } from '../../process/timing.ts';
import { EngineUnavailable } from '../engine-unavailable.ts';
import type { ExecOptions, Machine, MachineNeed } from '../port.ts';
import { execute, say } from '../ssh/exec.ts';
import { put, take, usualLimits } from '../ssh/files.ts';
import { furnish } from '../ssh/furnish.ts';
import { endPrograms } from './clean.ts';
import type { ClaimedMachine } from './park.ts';
import { restartGiven } from './restart.ts';
import { makeScratch } from './scripts.ts';

/** A given machine as long as its build has it. */
export function createGivenMachine(
  { settings, remote }: ClaimedMachine,
  isMine: () => Promise<boolean>,
  urlInside?: Machine['urlInside'],
): Machine {
  const mine = async <T>(work: () => Promise<T>): Promise<T> => {
    if (await isMine()) return work();
    throw EngineUnavailable.away('use', 'it was given back', `the machine ${settings.name}`);
  };
  const quiet = () => timed('quiet', () => endPrograms(remote));
  return {
    exec: (argv: readonly string[], options: ExecOptions) =>
      mine(() => timed(argv[0] ?? '', () => execute(remote, argv, options))),
    put: (hostPath, target) => mine(() => timed('copy', () => put(remote, hostPath, target))),
    take: (from, to, limits = usualLimits) =>
      mine(async () => {
        await quiet();
        return timed('copy', () => take(remote, { from, to, limits }));
      }),
    quiet: () => mine(quiet),
    network: 'its own',
    ...(urlInside === undefined ? {} : { urlInside }),
    open: async () => {},
    close: async () => {
      throw new Error(keepsNetwork(settings.name));
    },
    restart: (signal) => mine(() => timed('restart', () => restartGiven({ settings, remote }, signal))),
    origin: () => mine(() => originOf({ settings, remote })),
  };
}

/** Why what asks for isolation is refused. */
export function keepsNetwork(name: string): string {
  return `${name} is a machine of \`nodes.static\`: its network is its own, and is not taken away`;
}

/** Directories that a need asks for. @throws for one that is somebody's */
export async function furnishGiven({ remote }: ClaimedMachine, machine: Machine, need: MachineNeed): Promise<void> {
  const { scratch = [], ...rest } = need;
  const { line, root } = remote;
  if (scratch.length > 0) await say(line, quoted([...root, 'sh', '-c', makeScratch, 'sh', ...scratch]));
  await furnish(machine, rest, AbortSignal.timeout(180_000));
}

/** The system that it runs: nobody made it from an image. */
async function originOf({ settings, remote: { line } }: ClaimedMachine): Promise<string> {
  const script = '. /etc/os-release; echo "$PRETTY_NAME, $(uname -m)"';
  return `${settings.labels[0]}: ${(await say(line, quoted(['sh', '-c', script]))).trim()}`;
}
