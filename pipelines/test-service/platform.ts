import { type Platform, providerOf } from '../model/platform.ts';
import type { TestRequest } from './request.ts';

/** Names of architectures that one kind of machine runs, by Debian's name of it. */
const machines: Readonly<Record<string, readonly string[]>> = {
  amd64: ['x86_64', 'amd64', 'x86_64_v2', 'i686', 'i386', 'i486', 'i586'],
  arm64: ['aarch64', 'arm64'],
  ppc64el: ['ppc64le', 'ppc64el'],
  s390x: ['s390x'],
};

const providers = { any: ['docker', 'vm', 'static'], docker: ['docker'], vm: ['vm'], opennebula: ['vm'] } as const;

/** The kind of machine that runs programs of an architecture, by Debian's name; one that is not known is its own. */
export function machineOf(arch: string): string {
  return Object.entries(machines).find(([, names]) => names.includes(arch))?.[0] ?? arch;
}

/** What decides which platform a request means. */
type PlatformWish = Pick<TestRequest, 'runner_type' | 'dist_name' | 'dist_version' | 'dist_arch'> &
  Partial<Pick<TestRequest, 'test_flavor' | 'package_channel'>>;

/**
 * The platform that a request means: one called `NAME-VERSION`, alone or with `-ARCH` behind it, with the whole
 * version before its first part (`8.5`, then `8`), containers before other nodes. A flavour and the channel `beta` are
 * further parts of the name, before the architecture.
 *
 * @returns undefined where there is none
 */
export function platformFor(platforms: readonly Platform[], request: PlatformWish): Platform | undefined {
  const { dist_name: name, dist_arch: arch } = request;
  const version = String(request.dist_version);
  const { test_flavor: flavor, package_channel: channel } = request;
  const parts = [...(flavor ? [flavor.name, flavor.version] : []), ...(channel === 'beta' ? [channel] : [])];
  const further = parts.map((part) => `-${part}`).join('');
  const fitting = platforms.filter((platform) => machineOf(platform.arch) === machineOf(arch));
  for (const provider of providers[request.runner_type]) {
    for (const number of new Set([version, version.split('.')[0] ?? version])) {
      const called = `${name}-${number}${further}`;
      const names = [arch, ...(machines[machineOf(arch)] ?? [])].map((one) => `${called}-${one}`);
      const own = fitting.filter((platform) => providerOf(platform) === provider);
      const found = [called, ...names].flatMap((one) => own.find((platform) => platform.name === one) ?? []);
      if (found[0] !== undefined) return found[0];
    }
  }
  return undefined;
}
