/** A file that the index of a repository named once. */
export interface Former {
  /** The last state whose index names it: a number, with zeros before it. */
  readonly last: string;
  /** When a state came that does not; milliseconds since the epoch. */
  readonly since: number;
}

/** The state that is about to be shown. */
export interface NextState {
  readonly number: number;
  /** Milliseconds since the epoch; never less than at the state before, whatever the clock says. */
  readonly now: number;
  /** How long what an older index names stays; seconds. */
  readonly keep: number;
}

/** Seconds: a day for whoever reads slowly, and a mirror that is synced once a night. */
export const defaultKeepFormer = 2 * 86_400;

/** Of more states than these nothing is kept, however short the time in which they came. */
export const mostStates = 100;

/** Whether a file that no newer index names is still there for clients that have read an older one. */
export function staysForClients({ last, since }: Former, { number, now, keep }: NextState): boolean {
  return number - Number(last) <= mostStates && now - since < keep * 1000;
}
