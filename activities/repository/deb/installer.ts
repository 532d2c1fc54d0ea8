/** The folder of a component that holds the lists of packages for Debian's installer (udebs). */
export const installerLists = 'debian-installer';

/** Whether a list of packages is one that an installed system does not read. */
export function isInstallerList(path: string): boolean {
  return path.split('/').includes(installerLists);
}

/** Whether a package file is one that an installed system does not take. */
export function isForInstaller(path: string): boolean {
  return path.endsWith('.udeb');
}
