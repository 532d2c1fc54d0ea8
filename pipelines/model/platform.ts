import type { PackageFormat } from './artifact.ts';

/** Where nodes come from; absent: containers. */
export type PlatformProvider = 'docker' | 'vm' | 'static';

/** Where a secret is. */
type Secret = { readonly file: string } | { readonly env: string } | { readonly credential: string };

/** A qcow2 disk that virtual machines begin with, or the ISO image that installs one: at a URL, or a file. */
export interface DiskImage {
  readonly url?: string | undefined;
  readonly file?: string | undefined;
  /** SHA-256 in hexadecimal; what is at a URL has one. */
  readonly sha256?: string | undefined;
  /** Bytes of the file, and of the disk in it, at most. */
  readonly maxSize: number;
  /** Private key that a disk lets in whose system Sluice can drive; absent: cloud-init makes it one. */
  readonly key?: Secret | undefined;
  /** The public key of such a system. */
  readonly hostKey?: string | undefined;
  /** How a disk is installed by what is fetched, which is an ISO image then; absent: that is the disk. */
  readonly install?: Installation | undefined;
}

/** How an ISO image installs a system, by itself. */
export interface Installation {
  /** Bytes of the empty disk. */
  readonly size: number;
  /** A directory of the server's machine with what the installer asks for; absent: it asks for nothing. */
  readonly answers?: string | undefined;
  /** Name of the CD that these are on. */
  readonly label: string;
  /** A kernel that is begun with, in the place of the image's own boot loader: paths in the image. */
  readonly boot?: { readonly kernel: string; readonly initrd: string; readonly append: string } | undefined;
  /** Bytes of memory that the installer has. */
  readonly memory: number;
  /** Seconds until it must have switched the machine off. */
  readonly timeout: number;
}

/** What is run in a virtual machine before it is saved. */
export interface Provision {
  /** A directory of the server's machine, with all that is needed. */
  readonly directory: string;
  /** Scripts and playbooks below it, one after the other. */
  readonly run: readonly string[];
  /** Seconds for each. */
  readonly timeout: number;
}

/**
 * Where packages are built and tried: a node label, as nodesets name it. `debian-12`, `debian-13`, `debian-testing` and
 * each with `rpm-` before it are built in, for other architectures with `-ARCH` behind it; others (an `almalinux:9` image,
 * say) come from `platforms:` in sluice.yaml.
 */
export interface Platform {
  readonly name: string;
  readonly format: PackageFormat;
  /** APT's codename; for RPM the `dist` tag without its dot. */
  readonly codename: string;
  readonly arch: string;
  /**
   * The platform of another architecture whose builds make the packages for every architecture: builds here make the
   * others alone. Absent: builds here make all.
   */
  readonly primary?: string | undefined;
  /**
   * What its nodes are: containers, virtual machines, which have one image that bears the platform's name, or machines
   * that are there, whose label stands in an image's place.
   */
  readonly provider?: PlatformProvider;
  /** `none`: jobs with `run:` whose nodes are all such containers reach nothing but each other; absent: as `open`. */
  readonly network?: 'open' | 'none' | undefined;
  /** The disk that virtual machines begin with; absent: one is made of the Debian release. */
  readonly image?: DiskImage | undefined;
  /** What is done to virtual machines before they are saved; absent: nothing. */
  readonly provision?: Provision | undefined;
  /** Image with the build tools. */
  readonly buildImage: string;
  /** Image of the plain minimal system that packages are installed on. */
  readonly testImage: string;
  /** How the images come to be: `bootstrap` makes them with mmdebstrap, `pull` leaves it to the container engine. */
  readonly images: 'bootstrap' | 'pull';
  /** How BuildRequires are met: by dnf from RPM repositories, or mapped to Debian packages. */
  readonly buildRequires: 'native' | 'debian';
  readonly limits: {
    readonly cpus: number;
    readonly memoryMiB: number;
    readonly pids: number;
    readonly diskMiB: number;
    /** Files that a build may hand over; see `filesOf`. */
    readonly files?: number;
  };
}

/** Where the programs of jobs without nodes run. */
export const defaultLabel = 'debian-12';

/** A platform by its name, whose nodes are containers, or why there is none. */
export function containerPlatform(all: readonly Platform[], name: string): Platform | string {
  const found = all.find((platform) => platform.name === name);
  const platforms = all.filter((platform) => providerOf(platform) === 'docker');
  if (found !== undefined && platforms.includes(found)) return found;
  const names = platforms.map((platform) => platform.name).join(', ');
  if (found !== undefined) return `the nodes of ${name} are machines that jobs alone are lent: name one of ${names}`;
  return `no platform is called ${JSON.stringify(name)}: there are ${names}; others come from sluice.yaml`;
}

/**
 * What a node is wanted for: `builder` has the build tools, `control` Ansible besides, `system` is the minimal system that
 * packages are tried on.
 */
export type NodeKind = 'builder' | 'control' | 'system';

/**
 * The image of a node, or what stands for it where nodes are no containers. What is brought along has Ansible beside the
 * build tools, or not at all.
 */
export function imageOf(platform: Platform, kind: NodeKind): string {
  const { buildImage, testImage, images } = platform;
  if (kind === 'system') return testImage;
  if (kind === 'builder' || images === 'pull' || providerOf(platform) !== 'docker') return buildImage;
  return `${buildImage.replace(/:[^:/]*$/, '')}:control`;
}

export function providerOf({ provider = 'docker' }: Pick<Platform, 'provider'>): PlatformProvider {
  return provider;
}

/** Platforms whose nodes are virtual machines. */
export function isVirtual(platform: Pick<Platform, 'provider'>): boolean {
  return providerOf(platform) === 'vm';
}

/** How many times as long things may take on the platform: programs of another architecture may be emulated. */
export function slownessOf({ primary }: Pick<Platform, 'primary'>): number {
  return primary === undefined ? 1 : 10;
}

/** How many files a build on the platform may hand over. */
export function filesOf({ limits }: Pick<Platform, 'limits'>): number {
  return limits.files ?? 2_000;
}
