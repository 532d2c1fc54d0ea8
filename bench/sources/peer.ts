import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runnable } from '../../activities/install/autopkgtest.ts';
import { must, run } from '../../activities/process/run.ts';
import { parseLintian } from '../../pipelines/formats/deb/lintian.ts';
import type { LintRemark } from '../../pipelines/model/lint.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { firstError } from '../../pipelines/report/first-error.ts';
import { claimOf } from './claims.ts';

/** What `dpkg-buildpackage` alone makes of a source. */
export interface PeerBuild {
  readonly ok: boolean;
  /** Why not, in one line. */
  readonly reason: string | null;
  /** From the start of the container until the packages are there. */
  readonly seconds: number;
  /** Of which APT installed the build dependencies. */
  readonly dependencies: number;
  /** A directory with what came out. */
  readonly out: string;
}

export interface PeerWork {
  readonly platform: Platform;
  readonly description: string;
  readonly out: string;
  readonly log: (text: string) => void;
}

/** Milliseconds. */
const patience = 900_000;
const apt = ['--yes', '--quiet', '--no-install-recommends', '-o', 'Dpkg::Use-Pty=0', '-o', 'Acquire::Retries=2'];

/**
 * Builds a source package with Debian's own tools in a container of the same image, by the engine's own command:
 * unpacks it, installs the build dependencies, cuts the network off, runs dpkg-buildpackage.
 */
export async function buildAlone(work: PeerWork): Promise<PeerBuild> {
  const { platform, description, out } = work;
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const started = performance.now();
  const container = await startContainer(platform.buildImage, platform);
  let dependencies = 0;
  try {
    const inside = (user: string, cwd: string, ...argv: string[]) =>
      step(container, { user, cwd, argv, log: work.log });
    await must('docker', ['cp', `${dirname(description)}/.`, `${container}:/srv/`]);
    const prepare =
      'mkdir -p /build && cp /srv/* /build && (id builder || useradd -M -d /build builder) && chown -R builder /build';
    await inside('root', '/', 'sh', '-c', prepare);
    const name = description.split('/').pop() ?? '';
    await inside('builder', '/build', 'dpkg-source', '--no-check', '--extract', name, 'tree');
    const before = performance.now();
    await inside('root', '/build', 'apt-get', ...apt, 'build-dep', './tree');
    dependencies = seconds(before);
    await must('docker', ['network', 'disconnect', 'bridge', container]);
    await inside('builder', '/build/tree', 'dpkg-buildpackage', '--unsigned-source', '--unsigned-changes');
    const total = seconds(started);
    await inside('builder', '/build', 'sh', '-c', 'mkdir out && find . -maxdepth 1 -type f -exec cp {} out \\;');
    await must('docker', ['cp', `${container}:/build/out/.`, out]);
    return { ok: true, reason: null, seconds: total, dependencies, out };
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    return { ok: false, reason: error.message, seconds: seconds(started), dependencies, out };
  } finally {
    await must('docker', ['rm', '--force', '--volumes', container]);
  }
}

/** Runs the checker over the files of a build, in a container without a network. */
export async function lintAlone({ platform, out, log }: PeerWork): Promise<readonly LintRemark[]> {
  const names = (await readdir(out)).filter((name) => /\.(?:u?deb|dsc)$/.test(name) && !/-dbgsym_/.test(name)).sort();
  const container = await startContainer(platform.buildImage, platform, '--network', 'none');
  try {
    await must('docker', ['cp', `${out}/.`, `${container}:/tmp/`]);
    const argv = [
      'lintian',
      '--no-cfg',
      '--allow-root',
      '--show-overrides',
      '--tag-display-limit',
      '0',
      '--color',
      'never',
    ];
    const { code, stdout, stderr } = await run(
      'docker',
      ['exec', '--workdir', '/tmp', '--env', 'LC_ALL=C.UTF-8', '--env', 'HOME=/tmp', container, ...argv].concat(
        names.map((name) => `./${name}`),
      ),
      { timeout: patience },
    );
    log(`${stdout}${stderr}`);
    if (code !== 0 && code !== 2) throw new Error(`lintian ended with ${code}: ${stderr.trim().split('\n').pop()}`);
    return parseLintian(stdout);
  } finally {
    await must('docker', ['rm', '--force', '--volumes', container]);
  }
}

/** A test that the source has. */
export interface PeerTest {
  /** What reports call it. */
  readonly label: string;
  readonly script: string;
  /** Where the source has it; absent for a command. */
  readonly path?: string;
  readonly packages: readonly string[];
}

/** Of the tests that the source has, those to run, by what their report calls them. */
export interface PeerTests {
  /** Unpacked, on this machine. */
  readonly tree: string;
  readonly tests: readonly PeerTest[];
  /** Steps that failed with Sluice: `PACKAGE: STEP: why`. */
  readonly failures: readonly string[];
}

/**
 * Installs and removes each package of a build by APT alone, on the minimal system, and then runs the source's tests
 * with all packages installed and no network.
 *
 * @returns what went wrong, one line each: `PACKAGE: STEP: why`, `exercise: TEST`, and those of `failures` that hold here
 *   as well.
 */
export async function installAlone(
  { platform, out, log }: PeerWork,
  { tree, tests, failures }: PeerTests,
): Promise<readonly string[]> {
  const files = (await readdir(out)).filter((name) => name.endsWith('.deb')).sort();
  const container = await startContainer(platform.testImage, platform);
  const wrong: string[] = [];
  try {
    const index = (await must('dpkg-scanpackages', ['.'], { cwd: out })).stdout;
    await writeFile(join(out, 'Packages'), index);
    await must('docker', ['cp', `${out}/.`, `${container}:/srv/`]);
    const offer = 'echo "deb [trusted=yes] file:/srv ./" > /etc/apt/sources.list.d/own.list && apt-get --quiet update';
    await step(container, { user: 'root', cwd: '/', argv: ['sh', '-c', offer], log });
    for (const file of files) {
      const name = file.split('_')[0] ?? '';
      for (const [what, ...argv] of [['install', 'install'] as const, ['remove', 'purge', '--autoremove'] as const]) {
        const work = step(container, { user: 'root', cwd: '/', argv: ['apt-get', ...apt, ...argv, name], log });
        const found = await work.then(
          () => null,
          (error: Error) => error.message,
        );
        if (found !== null) wrong.push(`${name}: ${what}: ${found}`);
        for (const line of failures) if (await holds(container, line, { name, what })) wrong.push(line);
      }
    }
    if (tests.length === 0) return wrong;
    await must('docker', ['cp', tree, `${container}:/tree`]);
    const own = files.map((file) => file.split('_')[0] ?? '').filter((name) => !name.endsWith('-dbgsym'));
    const needed = [...own, ...tests.flatMap(({ packages }) => packages)];
    const ready = step(container, { user: 'root', cwd: '/', argv: ['apt-get', ...apt, 'install', ...needed], log });
    if (!(await succeeds(ready))) return [...wrong, ...tests.map(({ label }) => `exercise: ${label}`)];
    await must('docker', ['network', 'disconnect', 'bridge', container]);
    for (const { label, script, path } of tests) {
      await writeFile(join(out, 'test'), script, { mode: 0o755 });
      await must('docker', ['cp', join(out, 'test'), `${container}:/srv/test`]);
      const program = path === undefined ? ['/srv/test'] : runnable(join('/tree', path));
      const argv = ['env', 'AUTOPKGTEST_TMP=/tmp', ...program];
      const works = await succeeds(step(container, { user: 'root', cwd: '/tree', argv, log }));
      if (!works) wrong.push(`exercise: ${label}`);
    }
    return wrong;
  } finally {
    await must('docker', ['rm', '--force', '--volumes', container]);
  }
}

/** Whether a failure is found here as well, at the step that was just done. */
async function holds(container: string, line: string, done: { readonly name: string; readonly what: string }) {
  const claim = claimOf(line);
  const when = done.what === 'install' ? 'installed' : 'removed';
  if (claim?.package !== done.name || claim.when !== when) return false;
  const argv = ['exec', container, 'sh', '-c', claim.script, 'sh', claim.path, claim.package];
  return (await run('docker', argv, { timeout: 60_000 })).code === 0;
}

async function succeeds(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

class StepFailed extends Error {}

interface Step {
  readonly user: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly log: (text: string) => void;
}

/** @throws StepFailed with one line that tells why. */
async function step(container: string, { user, cwd, argv, log }: Step): Promise<void> {
  const env = ['LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive', 'DEB_BUILD_OPTIONS=parallel=2'];
  const options = ['--user', user, '--workdir', cwd, ...env.flatMap((each) => ['--env', each])];
  log(`$ ${argv.join(' ')}\n`);
  let output = '';
  const onOutput = (text: string) => {
    output += text;
    log(text);
  };
  const { code, timedOut } = await run('docker', ['exec', ...options, container, ...argv], {
    timeout: patience,
    onOutput,
  });
  if (timedOut) throw new StepFailed(`${argv[0]}: not done after ${patience / 1000} seconds`);
  if (code !== 0) throw new StepFailed(`${argv[0]}: ${firstError(output) ?? `ended with exit code ${code}`}`);
}

async function startContainer(image: string, { limits }: Platform, ...options: readonly string[]): Promise<string> {
  const bounds = ['--cpus', String(limits.cpus), '--memory', `${limits.memoryMiB}m`, '--label', 'sluice.bench=sources'];
  const argv = ['run', '--detach', '--init', ...bounds, ...options, image, 'sleep', '3600'];
  return (await must('docker', argv)).stdout.trim();
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}
