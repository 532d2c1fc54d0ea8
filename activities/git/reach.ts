import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** Settings by which git speaks to web servers alone, and an answer leads nowhere else. */
export const webAlone = ['protocol.allow=never', 'protocol.http.allow=always', 'protocol.https.allow=always']
  .concat('http.followRedirects=false')
  .flatMap((setting) => ['-c', setting]);

/** Addresses of this machine itself, and of its link: what answers there is for nobody who pushes a change. */
const inner = new BlockList();
inner.addSubnet('127.0.0.0', 8, 'ipv4');
inner.addSubnet('0.0.0.0', 8, 'ipv4');
inner.addSubnet('169.254.0.0', 16, 'ipv4');
inner.addAddress('::1', 'ipv6');
inner.addAddress('::', 'ipv6');
inner.addSubnet('fe80::', 10, 'ipv6');

/**
 * Settings by which git reaches a web server that somebody's change names, and nothing behind it: the address that was
 * looked at is the one that is spoken to, and no redirection is followed.
 *
 * @param known a host that may be this machine itself
 * @returns null for an address of this machine
 */
export async function reachSettings(url: string, known: string): Promise<readonly string[] | null> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  // A name that only a proxy knows is the proxy's to judge; else git itself says that there is no such host.
  const found = await lookup(host).catch(() => null);
  if (found === null) return webAlone;
  if (hostname !== known && inner.check(found.address, found.family === 6 ? 'ipv6' : 'ipv4')) return null;
  if (isIP(host) !== 0) return webAlone;
  const at = `${host}:${port || (protocol === 'https:' ? '443' : '80')}`;
  const address = found.family === 6 ? `[${found.address}]` : found.address;
  return [...webAlone, '-c', `http.curloptResolve=${at}:${address}`];
}
