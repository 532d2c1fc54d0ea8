/** A program that Sluice runs on the host, and the Debian package that has it. */
export interface Tool {
  readonly program: string;
  readonly package: string;
  /** What cannot be done without it, for `sluice doctor`. */
  readonly part: Part;
}

export type Part =
  | 'gate'
  | 'containers'
  | 'deb packages'
  | 'rpm packages'
  | 'signing'
  | 'mirrors'
  | 'virtual machines'
  | 'older images'
  | 'tests';

/** Every external program, in the order that `sluice doctor` shows. */
export const tools: readonly Tool[] = [
  { program: 'git', package: 'git', part: 'gate' },
  { program: 'flock', package: 'util-linux', part: 'gate' },
  { program: 'tar', package: 'tar', part: 'gate' },
  { program: 'dockerd', package: 'docker.io', part: 'containers' },
  { program: 'iptables', package: 'iptables', part: 'containers' },
  { program: 'mmdebstrap', package: 'mmdebstrap', part: 'containers' },
  { program: 'dpkg-source', package: 'dpkg-dev', part: 'deb packages' },
  { program: 'apt-ftparchive', package: 'apt-utils', part: 'deb packages' },
  { program: 'dose-debcheck', package: 'dose-distcheck', part: 'deb packages' },
  { program: 'rpm', package: 'rpm', part: 'rpm packages' },
  { program: 'createrepo_c', package: 'createrepo-c', part: 'rpm packages' },
  // Its solver, for what RPM packages need.
  { program: 'testsolv', package: 'libsolv-tools', part: 'rpm packages' },
  { program: 'dnf', package: 'dnf', part: 'rpm packages' },
  { program: 'gpg', package: 'gnupg', part: 'signing' },
  { program: 'gpgv', package: 'gpgv', part: 'signing' },
  { program: 'rsync', package: 'rsync', part: 'mirrors' },
  { program: 'ssh', package: 'openssh-client', part: 'mirrors' },
  // An import says what it lacks where this is missing.
  { program: 'git-lfs', package: 'git-lfs', part: 'tests' },
  // A smart card without the card.
  { program: 'softhsm2-util', package: 'softhsm2', part: 'tests' },
  { program: 'gnupg-pkcs11-scd', package: 'gnupg-pkcs11-scd', part: 'tests' },
  { program: 'pkcs11-tool', package: 'opensc', part: 'tests' },
  { program: 'openssl', package: 'openssl', part: 'tests' },
  { program: 'chromium', package: 'chromium', part: 'tests' },
  { program: 'perl', package: 'perl', part: 'virtual machines' },
  // A Gerrit is made of what Maven fetches.
  { program: 'mvn', package: 'maven', part: 'tests' },
  { program: 'javac', package: 'default-jdk-headless', part: 'tests' },
  { program: 'qemu-system-x86_64', package: 'qemu-system-x86', part: 'virtual machines' },
  { program: 'qemu-img', package: 'qemu-utils', part: 'virtual machines' },
  { program: 'mkfs.ext4', package: 'e2fsprogs', part: 'virtual machines' },
  { program: 'tcpdump', package: 'tcpdump', part: 'tests' },
  { program: 'ip', package: 'iproute2', part: 'tests' },
  { program: 'ssh-keygen', package: 'openssh-client', part: 'virtual machines' },
  // What cloud-init is told by, where machines begin with a disk of somebody else's.
  { program: 'genisoimage', package: 'genisoimage', part: 'virtual machines' },
];
