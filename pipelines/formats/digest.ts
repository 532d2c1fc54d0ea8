/** Hashes that repositories name, strongest first, by the names that Node has for them. */
const digestAlgorithms = ['sha512', 'sha384', 'sha256', 'sha224', 'sha1', 'md5'] as const;
export type DigestAlgorithm = (typeof digestAlgorithms)[number];

/** What an index says about the content of a file. */
export interface Digest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

/** A file that an index vouches for; `digest` is null where it names no hash that we know. */
export interface DigestedFile {
  readonly path: string;
  readonly size: number;
  readonly digest: Digest | null;
}

/** Whether APT takes the hash for proof. DNF takes all of them. */
export function isStrong({ algorithm }: Digest): boolean {
  return algorithm !== 'sha1' && algorithm !== 'md5';
}

/** The hash by the name that RPM metadata gives it; null for one that we do not know. */
export function digestOfType(type: string, hex: string): Digest | null {
  const name = type.toLowerCase() === 'sha' ? 'sha1' : type.toLowerCase();
  const algorithm = digestAlgorithms.find((one) => one === name);
  return algorithm === undefined || hex === '' ? null : { algorithm, hex: hex.toLowerCase() };
}

/** The strongest of several hashes of one file; null when there is none. */
export function strongest(hashes: Readonly<Partial<Record<DigestAlgorithm, string>>>): Digest | null {
  const algorithm = digestAlgorithms.find((one) => hashes[one]);
  return algorithm === undefined ? null : { algorithm, hex: (hashes[algorithm] ?? '').toLowerCase() };
}
