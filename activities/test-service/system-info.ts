import type { PackageFormat } from '../../pipelines/model/artifact.ts';

const looks = ['lsblk', 'df -h', 'uname -a', 'ip a', 'uptime'];

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
