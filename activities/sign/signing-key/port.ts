import { RepositoryRefusal } from '../../repository/port.ts';
import type { ReadSecret } from '../../review/settings.ts';

/** A key that signs, wherever its secret part is. */
export interface SigningKey {
  /** Its fingerprint; in a user's own key ring also a name that GnuPG finds one key by. */
  readonly id: string;
  /** Armoured. */
  publicKey(): Promise<string>;
  /** An armoured signature of the text. */
  detach(text: string): Promise<string>;
  /** The text itself, signed in clear. */
  clear(text: string): Promise<string>;
  /** Has rpmsign sign package files in place. */
  rpmsign(files: readonly string[]): Promise<void>;
}

/** A key cannot sign, and no other try helps. */
export class KeyRefused extends RepositoryRefusal {}

/** A key cannot sign now: a card that is not in its reader, a signer that is away. Another try may help. */
export class KeyAway extends KeyRefused {}

/** What keys are found with. */
export interface KeyPlaces {
  /** The signer's own directory. */
  readonly home: string;
  readonly readSecret: ReadSecret;
  /** Seconds before its end from which a key is warned of; undefined: the default. */
  readonly notice?: number | undefined;
}

/** A key that was found, and that clients take. */
export interface OpenedKey {
  readonly key: SigningKey;
  readonly fingerprint: string;
  /** What its owner should know. */
  readonly warnings: readonly string[];
  /** The GnuPG directory that it is in; null where it is in none here. */
  readonly home: string | null;
}
