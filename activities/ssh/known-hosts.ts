import { createHmac } from 'node:crypto';

/** The keys that a file `known_hosts` has for a host. */
export interface HostKeys {
  /** Kinds of keys, as SSH names them: only these are worth being asked for. */
  readonly kinds: readonly string[];
  /** Whether the key that a host shows, in SSH's own form, is one of them. */
  has(key: Uint8Array): boolean;
}

/**
 * Reads a file `known_hosts` as OpenSSH does: plain and hashed names, `[HOST]:PORT` for other ports than 22, revoked keys.
 * Patterns and certificate authorities are passed over: what they would allow is refused.
 */
export function readKnownHosts(
  text: string,
  { host, port }: { readonly host: string; readonly port: number },
): HostKeys {
  const name = port === 22 ? host : `[${host}]:${port}`;
  const known = new Map<string, string>();
  const revoked = new Set<string>();
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
    const [names = '', kind = '', key = ''] = fields;
    if (names.startsWith('#') || key === '') continue;
    if (marker === '@revoked') revoked.add(key);
    else if (marker === undefined && names.split(',').some((each) => isName(each, name))) known.set(key, kind);
  }
  for (const key of revoked) known.delete(key);
  return {
    kinds: [...new Set([...known.values()].flatMap(signaturesOf))],
    has: (key) => known.has(Buffer.from(key).toString('base64')),
  };
}

function isName(pattern: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|([^|]+)$/.exec(pattern) ?? [];
  if (salt === undefined) return pattern === name;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** An RSA key signs in better ways than the one that its kind is named after. */
function signaturesOf(kind: string): readonly string[] {
  return kind === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [kind];
}
