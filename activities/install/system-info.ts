import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { cutInTime } from '../../pipelines/report/machines.ts';
import type { Node } from '../nodes/packages/node.ts';
import { recordOf } from '../nodes/packages/record.ts';

const looks = ['cat /etc/os-release', 'lsblk', 'df -h', 'uname -a', 'ip a', 'uptime'];

const repositories: Readonly<Record<PackageFormat, readonly string[]>> = {
  deb: ['apt-cache policy', 'cat /etc/apt/sources.list /etc/apt/sources.list.d/*'],
  rpm: ['dnf repolist', 'cat /etc/yum.repos.d/*'],
};

const packages: Readonly<Record<PackageFormat, string>> = { deb: 'dpkg-query --show', rpm: 'rpm --query --all' };

/** They ask the kernel alone, and cannot hang. Without KVM a program that is not run before each saves a tenth of a second. */
const quick = /^(cat|uname|ip|uptime) /;

/** One that hangs, on a file system that does not answer, say, takes nothing from the others. */
const lookScript = (seconds: number) => `command -v timeout > /dev/null || timeout() { shift 3; "$@"; }
look() {
  timeout -k 5 ${seconds} "$@" 2>&1
  case $? in 124 | 137) echo '${cutInTime(seconds)}';; esac
}`;

/** A shell script that says what a system is. What a minimal one lacks is no fault. @param seconds for each of its looks */
export function systemInfoScript(format: PackageFormat, seconds = 20): string {
  const commands = [...looks, packages[format], ...repositories[format]];
  return `${lookScript(seconds)}\n${commands.map(lookOf).join('\n')}\n`;
}

function lookOf(command: string): string {
  return `echo '# ${command}'; ${quick.test(`${command} `) ? `${command} 2>&1` : `look ${command}`}`;
}

/** What a node is. @param seconds how long it may take to say so: a machine whose processor is emulated takes its time */
export function systemInfo(node: Pick<Node, 'machine' | 'manager' | 'signal'>, seconds = 60): Promise<string> {
  return recordOf(node, systemInfoScript(node.manager.format, Math.ceil(seconds / 3)), seconds);
}
