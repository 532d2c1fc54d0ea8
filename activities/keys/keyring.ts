import { counted } from '../../pipelines/model/words.ts';

/** A key of a GnuPG key ring, as `gpg --with-colons` lists it (doc/DETAILS of GnuPG). */
export interface KeyEntry {
  readonly fingerprint: string;
  readonly uids: readonly string[];
  /** GnuPG's letter: `e` expired, `r` revoked, `i` invalid, `d` disabled, … */
  readonly validity: string;
  /** Whether it, or a subkey that is good now, may sign, and is here where secret keys were listed. */
  readonly signs: boolean;
  /** Seconds since the epoch; null: never. */
  readonly expires: number | null;
  /** The same of what GnuPG would sign with: its newest part that may. */
  readonly signsUntil: number | null;
  /** What it signs with: itself, and its good subkeys. */
  readonly algorithms: readonly { readonly id: number; readonly bits: number }[];
  /** Fingerprints of its subkeys. */
  readonly subkeys: readonly string[];
  /** Whether its newest signature over itself uses SHA-1. */
  readonly sha1: boolean;
}

/** Seconds before its end from which a key is warned of, where nobody says otherwise. */
const usualNotice = 30 * 86_400;

const rsa: readonly number[] = [1, 2, 3];
const dsa = 17;
const sha1 = '2';

/** Reads a listing of secret or public keys with their signatures. */
export function readKeyring(listing: string): readonly KeyEntry[] {
  const groups: string[][][] = [];
  for (const fields of listing.split('\n').map((line) => line.split(':'))) {
    if (fields[0] === 'sec' || fields[0] === 'pub') groups.push([]);
    groups.at(-1)?.push(fields);
  }
  return groups.map(entryOf);
}

function entryOf(lines: readonly (readonly string[])[]): KeyEntry {
  const [primary = []] = lines;
  const prints = lines.filter(([kind]) => kind === 'fpr').map((fields) => fields[9] ?? '');
  const [, validity = '', , , keyid = '', , expires = ''] = primary;
  const capabilities = primary[11] ?? '';
  const good = lines.filter(([kind, state = '', , , , , , , , , , use = '', , , place]) => {
    const own = kind === 'sec' || kind === 'pub' || ((kind === 'ssb' || kind === 'sub') && !/[erid]/.test(state));
    // A secret part that is kept elsewhere, as that of a primary key should be.
    return own && use.includes('s') && place !== '#';
  });
  const signing = good
    .toSorted((a, b) => Number(b[5]) - Number(a[5]))
    .find(([kind]) => kind === 'ssb' || kind === 'sub');
  const own = lines.filter(([kind, , , , by]) => kind === 'sig' && by === keyid);
  const newest = Math.max(...own.map((fields) => Number(fields[5])));
  return {
    fingerprint: prints[0] ?? '',
    uids: lines.filter(([kind, state = '']) => kind === 'uid' && state !== 'r').map((one) => unescaped(one[9] ?? '')),
    validity,
    signs: capabilities.includes('S') && good.length > 0,
    expires: timeOf(expires),
    signsUntil: timeOf((signing ?? primary)[6]),
    algorithms: good.map((fields) => ({ id: Number(fields[3]), bits: Number(fields[2]) })),
    subkeys: prints.slice(1),
    sha1: own.some((fields) => Number(fields[5]) === newest && fields[15] === sha1),
  };
}

function timeOf(field = ''): number | null {
  return field === '' ? null : Number(field);
}

/** GnuPG writes a colon and what is not printable as `\xNN`. */
function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** How sharply clients judge something about a key. */
export interface KeyVerdict {
  readonly unusable: readonly string[];
  /** What clients of today, or of soon, refuse. */
  readonly weak: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Judges a key as clients do: apt from Debian 13 on (sqv) takes no RSA below 2048 bits, no DSA, and no key that vouches
 * for itself by SHA-1; apt of Debian 12 and dnf refuse everything by a key that has expired.
 *
 * @param now milliseconds since the epoch
 * @param notice seconds before its end from which it is warned of
 */
export function judgeKey(key: KeyEntry, now: number, notice = usualNotice): KeyVerdict {
  const { expires, signsUntil, validity, algorithms } = key;
  const days = daysUntil(expires, now);
  const date = dateOf(expires);
  const unusable = [
    ...(validity === 'r' ? ['it is revoked'] : []),
    ...(validity === 'e' || days < 0 ? [`it has expired on ${date}`] : []),
    ...(/[id]/.test(validity) ? ['GnuPG does not accept it: it is invalid or disabled'] : []),
  ];
  const small = algorithms.find(({ id, bits }) => rsa.includes(id) && bits < 2048);
  const weak = [
    ...(small === undefined ? [] : [`it is RSA of ${small.bits} bits, which apt refuses since Debian 13`]),
    ...(algorithms.some(({ id }) => id === dsa) ? ['it is DSA, which apt refuses since Debian 13'] : []),
    ...(key.sha1 ? ['it vouches for itself by SHA-1, which apt refuses since Debian 13'] : []),
  ];
  const left = daysUntil(signsUntil, now);
  const [what, end, when] =
    left < days ? (['the part of it that signs', left, signsUntil] as const) : (['it', days, expires] as const);
  const soon = unusable.length === 0 && end >= 0 && end * 86_400 < notice;
  const warnings = soon
    ? [`${what} expires on ${dateOf(when)}, in ${counted(end, 'day')}: everything that it signed is refused then`]
    : [];
  return { unusable, weak, warnings };
}

function daysUntil(time: number | null, now: number): number {
  return time === null ? Number.POSITIVE_INFINITY : Math.floor((time * 1000 - now) / 86_400_000);
}

function dateOf(time: number | null): string {
  return time === null ? '' : new Date(time * 1000).toISOString().slice(0, 10);
}

/**
 * The keys that a name may mean: a fingerprint or key id, or else a user id or mail address as a whole, or else a part
 * of a user id, as GnuPG takes it.
 */
export function keysNamed(keys: readonly KeyEntry[], name: string): readonly KeyEntry[] {
  const hex = name.replaceAll(' ', '').replace(/^0x/i, '').replace(/!$/, '').toUpperCase();
  if (/^(?:[0-9A-F]{8}|[0-9A-F]{16}|[0-9A-F]{40}|[0-9A-F]{64})$/.test(hex)) {
    return keys.filter((key) => [key.fingerprint, ...key.subkeys].some((print) => print.endsWith(hex)));
  }
  const wanted = name.toLowerCase();
  const address = wanted.replace(/^<(.*)>$/, '$1');
  const whole = keys.filter(({ uids }) =>
    uids.some((uid) => uid.toLowerCase() === wanted || mailOf(uid).toLowerCase() === address),
  );
  return whole.length > 0 ? whole : keys.filter(({ uids }) => uids.some((uid) => uid.toLowerCase().includes(wanted)));
}

function mailOf(uid: string): string {
  return /<([^<>]*)>\s*$/.exec(uid)?.[1] ?? uid;
}

/** A key as messages name it. */
export function keyName({ fingerprint, uids }: KeyEntry): string {
  return `${fingerprint} ${uids[0] ?? ''}`.trimEnd();
}
