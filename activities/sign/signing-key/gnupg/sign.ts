import { exportPublicKey } from '../../key.ts';
import type { SigningKey } from '../port.ts';
import { signText } from './ask.ts';
import { signingFault } from './fault.ts';
import type { GnupgKey } from './key.ts';
import { rpmsignGnupg } from './rpmsign.ts';

/** Signs with GnuPG, whose agent or card keeps the key to itself. */
export function createGnupgKey(key: GnupgKey): SigningKey {
  const alone = key.card === undefined ? <T>(work: () => Promise<T>) => work() : createTurns();
  const act = <T>(work: () => Promise<T>): Promise<T> =>
    alone(work).catch((error) => {
      throw signingFault(key, error);
    });
  return {
    id: key.key,
    publicKey: () => exportPublicKey(key),
    detach: (text) => act(() => signText(key, '--detach-sign', text)),
    clear: (text) => act(() => signText(key, '--clear-sign', text)),
    rpmsign: (files) => act(() => rpmsignGnupg(key, files)),
  };
}

/** Works one after the other, whatever came of those before. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}
