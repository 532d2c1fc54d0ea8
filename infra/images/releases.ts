/** A release of Debian that platforms are made from. */
export interface DebianRelease {
  /** The platform for DEB packages; that for RPM packages has `rpm-` before it. */
  readonly name: string;
  readonly codename: string;
  /** The `dist` tag of RPM packages, without its dot. */
  readonly dist: string;
  /** Whether its lists are taken past their `Valid-Until`: testing's may be when its archive rests. */
  readonly undated?: true;
  /** Whether its smallest system lacks what Debian 12's has. */
  readonly smaller?: true;
  /** Whether its rpm runs scriptlets in namespaces of their own. */
  readonly unshares?: true;
  /** Whether its RPM platform has dnf5 in the place of dnf. */
  readonly dnf5?: true;
}

/** The first is that of the shipped jobs. `debian-testing` is forky until that is released. */
export const debianReleases: readonly DebianRelease[] = [
  { name: 'debian-12', codename: 'bookworm', dist: 'deb12' },
  { name: 'debian-13', codename: 'trixie', dist: 'deb13', smaller: true, unshares: true },
  {
    name: 'debian-testing',
    codename: 'forky',
    dist: 'deb14',
    smaller: true,
    undated: true,
    unshares: true,
    dnf5: true,
  },
];
