import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Platform, slownessOf } from '../../pipelines/model/platform.ts';
import { firstError } from '../../pipelines/report/first-error.ts';
import type { ExecResult, Machine } from '../nodes/port.ts';
import type { StageContext } from '../ports.ts';
import { BuildProblem } from './problem.ts';

/** Where things are in the machine. */
export const places = { source: '/build/source', work: '/build/work', home: '/build/home' } as const;

/** Milliseconds for one step of preparation; the build itself is limited by the job's timeout. */
const preparation = 900_000;

/** The machine that one package is built in. */
export interface Room {
  readonly machine: Machine;
  readonly platform: Platform;
  readonly context: StageContext;
  /** Runs a step as root, its output in the log; the result is looked at by the caller. */
  root(argv: readonly string[], options?: StepOptions): Promise<ExecResult>;
  /** Does something with a network, which nothing of the build is left to use. */
  online<T>(work: () => Promise<T>): Promise<T>;
  /** Runs a step of the build as the unprivileged user. @throws BuildProblem with the reason when it fails. */
  build(what: string, argv: readonly string[], options?: StepOptions): Promise<string>;
}

interface StepOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The output is data, and stays out of the log. */
  readonly quiet?: boolean;
}

/** Makes the builder's user and directories, and the tools where an image comes without them. */
const furnish = `set -eu
mkdir -p ${places.source} ${places.work} ${places.home}
id builder >/dev/null 2>&1 || useradd --home-dir /build --no-create-home --shell /bin/sh builder
chown builder ${places.work} ${places.home}
`;

/** What an image that is not made here may lack: a program that tells, and how to get it. */
const tools: Readonly<Record<Platform['format'], { readonly program: string; readonly install: string }>> = {
  deb: {
    program: 'dpkg-buildpackage',
    install: 'apt-get -q update && apt-get -q -y --no-install-recommends install build-essential fakeroot',
  },
  rpm: { program: 'rpmbuild', install: 'dnf -y install rpm-build dnf-plugins-core gcc make' },
};
/** The exit code that says so. */
const lacking = 99;

/** Takes a machine for a build from the stage's lease. */
export async function openRoom(platform: Platform, context: StageContext): Promise<Room> {
  const scratch = ['/build', '/tmp', '/var/tmp'];
  const need = { name: 'builder', platform, kind: 'builder', network: 'shut', scratch } as const;
  const room = createRoom(await context.lease.machine(need), platform, context);
  const { program, install } = tools[platform.format];
  const run = (script: string) => room.root(['/bin/sh', '-c', script], { quiet: true });
  const first = await run(`${furnish}command -v ${program} >/dev/null || exit ${lacking}`);
  const { code, output } = first.code === lacking ? await room.online(() => run(install)) : first;
  if (code !== 0) throw new Error(`the builder cannot be prepared: ${output.trim().split('\n').pop()}`);
  return room;
}

function createRoom(machine: Machine, platform: Platform, context: StageContext): Room {
  const { signal, log } = context;
  const timeout = preparation * slownessOf(platform);
  const environment = {
    LC_ALL: 'C.UTF-8',
    HOME: places.home,
    TMPDIR: '/tmp',
    DEBIAN_FRONTEND: 'noninteractive',
    DEB_BUILD_OPTIONS: `parallel=${platform.limits.cpus}`,
    RPM_BUILD_NCPUS: String(platform.limits.cpus),
  };
  const run = (user: string, argv: readonly string[], options: StepOptions & { readonly timeout?: number }) => {
    const { cwd = '/build', env, quiet = false, timeout } = options;
    if (!quiet) log.write(`${user === 'root' ? '#' : '$'} ${argv.join(' ')}\n`);
    const limit = timeout === undefined ? {} : { timeout };
    // Tools that run as root must not read settings from a home that is the builder's.
    const home = user === 'root' ? { HOME: '/root' } : {};
    const always = { user, cwd, signal, env: { ...environment, ...home, ...env }, ...limit };
    return machine.exec(argv, quiet ? always : { ...always, log });
  };
  let used = false;
  const online = async <T>(work: () => Promise<T>): Promise<T> => {
    if (used) await machine.quiet();
    await machine.open();
    try {
      return await work();
    } finally {
      await machine.close();
    }
  };
  const asBuilder = (argv: readonly string[], options: StepOptions) => {
    used = true;
    return run('builder', argv, options);
  };
  return {
    machine,
    platform,
    context,
    online,
    root: (argv, options = {}) => prepared(run('root', argv, { ...options, timeout }), { argv, timeout }),
    build: async (what, argv, options = {}) => accept(platform, what, await asBuilder(argv, options)),
  };
}

async function prepared(
  step: Promise<ExecResult>,
  { argv, timeout }: { readonly argv: readonly string[]; readonly timeout: number },
): Promise<ExecResult> {
  const result = await step;
  if (result.timedOut) throw new BuildProblem(`${argv[0]}: not done after ${timeout / 1000} seconds`, 'TIMED_OUT');
  return result;
}

/** What shells, make, compilers, Perl, Go and Python say where the kernel lets them start nothing more. */
const noProcess =
  /\b(?:v?fork|clone3?|posix_spawn\w*|pthread_create|[Tt]hread)\b.*Resource temporarily unavailable|\b(?:[Cc]annot|[Cc]an't) fork\b|failed to create new OS thread|can't start new thread/;

function tooMany({ limits }: Platform): string {
  return `no other process can be started: it may have ${limits.pids} processes and threads (the platform's pids)`;
}

function accept(platform: Platform, what: string, { code, output }: ExecResult): string {
  if (code === 0) return output;
  if (/No space left on device/.test(output)) throw diskFull(platform, what);
  if (noProcess.test(output)) throw new BuildProblem(`${what}: ${tooMany(platform)}`);
  const killed = code === 137 || /fatal error: Killed signal/.test(output);
  if (killed) throw new BuildProblem(`${what}: killed: it may use ${platform.limits.memoryMiB} MiB of memory`);
  throw new BuildProblem(`${what}: ${firstError(output) ?? `ended with exit code ${code}`}`);
}

function diskFull({ limits }: Platform, what: string): BuildProblem {
  const summary = `${what}: the disk is full: the build may use ${limits.diskMiB} MiB (the platform's diskMiB)`;
  return new BuildProblem(summary, 'DISK_FULL');
}

/** Copies the source tree into the machine, for the unprivileged user. @throws BuildProblem when it is too big. */
export async function placeTree({ machine, platform, root }: Room, directory: string): Promise<void> {
  await machine.put(directory, places.source).catch((error: Error) => {
    // The provider's own disk is full elsewhere: that is no fault of the package.
    const tooBig = error.message.includes(`${places.source}/`) && /no space left on device/.test(error.message);
    throw tooBig ? diskFull(platform, 'source tree') : error;
  });
  const { code, output } = await root(['chown', '-R', 'builder', places.source], { quiet: true });
  if (code !== 0) throw new Error(`the tree cannot be placed in the builder: ${output.trim()}`);
}

/** Puts text into a file of the machine, owned by root. `path` has no link in it. */
export async function placeFile(room: Room, path: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
  const folder = await mkdtemp(join(room.context.workdir, 'file-'));
  const name = path.split('/').pop() ?? '';
  await writeFile(join(folder, name), text);
  await chmod(join(folder, name), mode);
  await room.machine.put(join(folder, name), path.slice(0, -name.length));
}
