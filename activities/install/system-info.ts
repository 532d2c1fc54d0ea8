import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import type { Node } from '../nodes/packages/node.ts';

const looks = ['cat /etc/os-release', 'lsblk', 'df -h', 'uname -a', 'ip a', 'uptime'];

const repositories: Readonly<Record<PackageFormat, readonly string[]>> = {
  deb: ['apt-cache policy', 'cat /etc/apt/sources.list /etc/apt/sources.list.d/*'],
  rpm: ['dnf repolist', 'cat /etc/yum.repos.d/*'],
};

const packages: Readonly<Record<PackageFormat, string>> = { deb: 'dpkg-query --show', rpm: 'rpm --query --all' };

/** A shell script that says what a system is. What a minimal one lacks is no fault. */
export function systemInfoScript(format: PackageFormat): string {
  const commands = [...looks, packages[format], ...repositories[format]];
  return `${commands.map((command) => `echo '# ${command}'; ${command} || :`).join('\n')}\n`;
}

/** What a node is before anything is tried on it. */
export async function systemInfo(node: Pick<Node, 'machine' | 'manager' | 'signal'>, timeout: number): Promise<string> {
  const { machine, manager, signal } = node;
  const argv = ['/bin/sh', '-c', systemInfoScript(manager.format)];
  return (await machine.exec(argv, { signal, timeout, env: manager.environment })).output;
}
