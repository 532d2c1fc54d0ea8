import type { SecretReference } from '../../review/settings.ts';

/** A key in the signer's own directory, by fingerprint, user id or mail address. */
export interface DirectoryKey {
  readonly kind: 'directory';
  readonly key: string;
}

/** A key in a GnuPG directory elsewhere, which belongs to the signer's user. */
export interface HomeKey {
  readonly kind: 'gnupg';
  readonly home: string;
  readonly fingerprint: string;
  /** Absent: it has none, or the directory's agent knows it. */
  readonly passphrase?: SecretReference | undefined;
  /** Seconds that one signature may take. */
  readonly timeout: number;
}

/** The same with the secret part on a card, of which the directory has a stub. */
export interface CardKey extends Omit<HomeKey, 'kind' | 'passphrase'> {
  readonly kind: 'card';
  /** Absent: the reader asks for it, or the directory's agent knows it. */
  readonly pin?: SecretReference | undefined;
}

/** An armoured private key, as `gpg --export-secret-keys --armor` writes it. */
export interface FileKey {
  readonly kind: 'file';
  readonly key: SecretReference;
  readonly fingerprint: string;
  readonly passphrase?: SecretReference | undefined;
}

/** A key that a program reaches. */
export interface ProgramKey {
  readonly kind: 'program';
  /** The program and its first arguments. */
  readonly run: readonly string[];
  readonly fingerprint: string;
  /** File with its public half, armoured. */
  readonly public: string;
  /** Seconds that one signature may take. */
  readonly timeout: number;
}

/** Where a key is that signs. */
export type GivenKey = DirectoryKey | HomeKey | CardKey | FileKey | ProgramKey;

/** What a key is called, where something else in the configuration names it. */
export function nameOf(given: string | GivenKey): string {
  if (typeof given === 'string') return given;
  return given.kind === 'directory' ? given.key : given.fingerprint;
}

/** The secrets that a key is used with. */
export function secretsOf(given: GivenKey): readonly SecretReference[] {
  const { key, passphrase, pin } = { key: undefined, passphrase: undefined, pin: undefined, ...given };
  return [key, passphrase, pin].filter((secret) => typeof secret === 'object');
}

/** The public half of a key that signs no more, in a file. */
export interface PublicKey {
  readonly kind: 'public';
  readonly file: string;
  readonly fingerprint: string;
}
