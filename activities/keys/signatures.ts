/** One signature as GnuPG found it. */
export interface FoundSignature {
  /** Fingerprint of the key that made it, a subkey's where it was one. */
  readonly signer: string;
  /** Of the key that this belongs to. */
  readonly primary: string;
  /** Why clients refuse it; null when they do not. */
  readonly refused: string | null;
  /** Whether that is for its key alone, which is judged by itself, too. */
  readonly byKey: boolean;
  /** The digest, where APT refuses signatures by it. */
  readonly weak: string | null;
}

/** GnuPG's words for a signature that adds up and is not good all the same. It ends well for these. */
const states: Readonly<Record<string, { readonly refused: string; readonly byKey: boolean }>> = {
  EXPKEYSIG: { refused: 'the key that signed it has expired', byKey: true },
  REVKEYSIG: { refused: 'the key that signed it was revoked', byKey: true },
  EXPSIG: { refused: 'the signature itself has expired', byKey: false },
};

/** Digests by OpenPGP's numbers that APT takes no signature by. */
const weakDigests: Readonly<Record<string, string>> = { 1: 'MD5', 2: 'SHA-1', 3: 'RIPEMD-160' };

/** Reads the signatures that add up from what `gpg --status-fd` says (doc/DETAILS of GnuPG). */
export function readSignatures(status: string): readonly FoundSignature[] {
  const found: FoundSignature[] = [];
  let state = '';
  for (const line of status.split('\n')) {
    const [, word = '', ...rest] = line.split(' ');
    if (word === 'GOODSIG' || word in states) state = word;
    if (word !== 'VALIDSIG') continue;
    const { refused = null, byKey = false } = states[state] ?? {};
    const [signer = '', , , , , , , digest = ''] = rest;
    found.push({ signer, primary: rest[9] ?? signer, refused, byKey, weak: weakDigests[digest] ?? null });
  }
  return found;
}

/** Whether all signatures add up but those by keys that GnuPG does not have, and some do: it ends as for bad ones then. */
export function onlyUnknown(status: string): boolean {
  const words = status.split('\n').map((line) => line.split(' ')[1] ?? '');
  const failed = words.filter((word) => word === 'ERRSIG' || word === 'BADSIG').length;
  return words.includes('VALIDSIG') && failed > 0 && failed === words.filter((word) => word === 'NO_PUBKEY').length;
}

/** Why a file with these signatures is refused by clients; null where one of them is taken. */
export function refusal(found: readonly FoundSignature[], by: 'apt' | 'dnf'): string | null {
  const why = found.map(({ refused, weak }) => {
    if (refused !== null || weak === null || by === 'dnf') return refused;
    return `it is signed by ${weak}, which APT refuses: sign it with SHA-256 or SHA-512`;
  });
  return why.includes(null) ? null : (why[0] ?? 'it carries no signature that adds up');
}
