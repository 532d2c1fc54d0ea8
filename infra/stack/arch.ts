const debianNames: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: 'amd64',
  ia32: 'i386',
  arm: 'armhf',
};

/** This machine's architecture as Debian names it: the name of its build queue. */
export function hostArch(): string {
  return debianNames[process.arch] ?? process.arch;
}
