import { text } from 'node:stream/consumers';
import type { NamedKeys } from '../../activities/sign/archive-keys.ts';
import { checkKeys } from '../../activities/sign/check-keys.ts';

/** What the process is told on its input. */
export interface KeysToCheck {
  /** The signer's directory. */
  readonly home: string;
  readonly keys: Omit<NamedKeys, 'former'>;
}

// Runs as the signer's user, who alone can read the keys.
const { home, keys } = JSON.parse(await text(process.stdin)) as KeysToCheck;
console.log(JSON.stringify(await checkKeys(home, keys)));
