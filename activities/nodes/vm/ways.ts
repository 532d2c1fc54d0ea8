import { isIP } from 'node:net';

/** Something outside that a machine may speak to, and nothing else: on one port. */
export interface Way {
  readonly host: string;
  readonly port: number;
}

/** The first address that stands for something outside, in the machine's own view, and how many there can be. */
const first = 100;
const most = 150;

/** Each host once, with the address by which a machine reaches it. */
function addressesOf(ways: readonly Way[]): ReadonlyMap<string, string> {
  const hosts = [...new Set(ways.map(({ host }) => host))];
  return new Map(hosts.map((host, index) => [host, `10.0.2.${first + index}`]));
}

/** What a machine calls whoever is at the end of a way. An address has no place in its network: it becomes a name. */
function nameOf(host: string): string {
  return isIP(host) === 0 ? host : `${host.replace(/[.:]/g, '-')}.sluice.internal`;
}

/** The lines of `/etc/hosts` by which a machine knows what it may speak to. */
export function hostsOf(ways: readonly Way[]): string {
  return [...addressesOf(ways)].map(([host, address]) => `${address} ${nameOf(host)}\n`).join('');
}

/** A URL as a machine must call it. */
export function urlInside(url: string): string {
  const found = new URL(url);
  const host = found.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) return url;
  found.hostname = nameOf(host);
  return found.href.endsWith('/') && !url.endsWith('/') ? found.href.slice(0, -1) : found.href;
}

/** What must be reached for these URLs, each host and port once. @throws for one that is no HTTP URL, and for too many */
export function waysTo(urls: readonly string[]): readonly Way[] {
  const ways = urls.map((url): Way => {
    const { protocol, hostname, port } = new URL(url);
    if (!/^https?:$/.test(protocol))
      throw new Error(`${url} cannot be reached by a virtual machine: it is no HTTP URL`);
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)) };
  });
  const each = [...new Map(ways.map((way) => [`${way.host} ${way.port}`, way])).values()];
  if (each.length > most) throw new Error(`a virtual machine reaches ${most} hosts at most, and not ${each.length}`);
  return each;
}

/** How the emulator is told of the ways: a machine that is not listed is not reached. */
export function forwardsOf(ways: readonly Way[], script: string): readonly string[] {
  const addresses = addressesOf(ways);
  return ways.map(({ host, port }) => {
    if (!/^[A-Za-z0-9:][A-Za-z0-9.:-]*$/.test(host)) throw new Error(`${JSON.stringify(host)} is no name of a host`);
    return `guestfwd=tcp:${addresses.get(host)}:${port}-cmd:perl ${script} ${host} ${port}`;
  });
}
