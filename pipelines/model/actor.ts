/** Who asks for something, as far as it is proven: never what a client says of itself. */
export interface Actor {
  /** Of the account: a user of this machine, or an account that the transport has checked. */
  readonly name: string;
  /** `sluice`: the gate itself; `worker`: who runs builds for it; `anybody`: nothing is proven. */
  readonly kind: 'person' | 'sluice' | 'worker' | 'anybody';
  /** What proves it: the process's own user, a key or a login that the way in has checked, a token of the server. */
  readonly via: 'local' | 'ssh' | 'http' | 'token' | 'inside';
}

/** The gate itself: reports, merges, and what one queue does to another. */
export const gateActor: Actor = { name: 'sluice', kind: 'sluice', via: 'inside' };

const accountPattern = /^[\p{L}\p{N}_][\p{L}\p{N}_.@+\\/ -]{0,99}$/u;

/** Whether a text can be the name of an account: one line that no address and no other line can be hidden in. */
export function isAccountName(text: string): boolean {
  return accountPattern.test(text) && !text.endsWith(' ');
}
