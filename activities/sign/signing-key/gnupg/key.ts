import type { GpgKey } from '../../key.ts';
import type { RefusedPin } from '../refused-pin.ts';

/** A key in a GnuPG directory, and what it takes to use it. */
export interface GnupgKey extends GpgKey {
  /** Reads its passphrase or PIN; absent: nothing is asked for, or the agent knows it. */
  readonly secret?: () => Promise<string>;
  /** The secret part is on a card, which does one thing at a time. */
  readonly card?: RefusedPin;
  /** Milliseconds that one signature may take; absent: no limit. */
  readonly timeout?: number;
}
