import { dirname } from 'node:path';
import type { Machine, Provider } from '../activities/nodes/port.ts';
import type { Platform } from '../pipelines/model/platform.ts';

/** What a user's machine is told: a mirror, the key to trust, what to install and how to see that it is new. */
export interface InstallOrder {
  readonly platform: Platform;
  /** Root of the released repository on a mirror. */
  readonly url: string;
  /** File with the public key, on this machine. */
  readonly key: string;
  readonly packages: readonly string[];
  /** A program and its arguments that only the new version can run. */
  readonly proof: readonly string[];
}

const trusted = '/etc/sluice-demo';

/**
 * Installs packages on a clean machine from a mirror, signature checking on, and runs the proof.
 *
 * @returns the proof's output
 * @throws with the last lines of the step that failed
 */
export async function installFromMirror(provider: Provider, order: InstallOrder): Promise<string> {
  const { platform } = order;
  const lease = await provider.lend({ build: 'demo' });
  const { signal } = new AbortController();
  const run = async (machine: Machine, ...argv: string[]) => {
    const { code, output } = await machine.exec(argv, {
      signal,
      timeout: 120_000,
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (code !== 0)
      throw new Error(
        `${argv.slice(0, 2).join(' ')} on ${platform.name} ended with ${code}: ${output.trim().slice(-400)}`,
      );
    return output;
  };
  try {
    const machine = await lease.machine({ name: 'user', platform, kind: 'system', network: 'open' });
    const exec = (...argv: string[]) => run(machine, ...argv);
    await exec('mkdir', '-p', trusted);
    await machine.put(dirname(order.key), trusted);
    const key = `${trusted}/${order.key.split('/').at(-1)}`;
    for (const argv of platform.format === 'deb' ? aptOrder(order, key) : dnfOrder(order, key)) await exec(...argv);
    return (await exec(...order.proof)).trim();
  } finally {
    await provider.release(lease);
  }
}

function aptOrder({ platform, url, packages }: InstallOrder, key: string): string[][] {
  const source = `deb [signed-by=${key}] ${url} ${platform.codename} main`;
  const only = [
    '-o',
    'Dir::Etc::SourceList=/etc/apt/sources.list.d/sluice.list',
    '-o',
    'Dir::Etc::SourceParts=/dev/null',
  ];
  return [
    ['sh', '-c', 'printf "%s\\n" "$1" > /etc/apt/sources.list.d/sluice.list', 'sh', source],
    ['apt-get', ...only, '-q', 'update'],
    ['apt-get', ...only, '-q', '-y', 'install', ...packages],
  ];
}

function dnfOrder({ url, packages }: InstallOrder, key: string): string[][] {
  const repository = [
    '[sluice]',
    'name=sluice',
    `baseurl=${url}`,
    'gpgcheck=1',
    'repo_gpgcheck=1',
    `gpgkey=file://${key}`,
  ];
  return [
    ['sh', '-c', 'mkdir -p /etc/yum.repos.d; printf "%s\\n" "$@" > /etc/yum.repos.d/sluice.repo', 'sh', ...repository],
    ['dnf', '-q', '-y', '--disablerepo=*', '--enablerepo=sluice', 'install', ...packages],
  ];
}
