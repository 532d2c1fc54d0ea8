import type { MirrorWish } from '../pipelines/mirror/wish.ts';
import type { Actor } from '../pipelines/model/actor.ts';

/** How it is told how a deed goes, and that nobody waits for it any more. */
export interface MirrorHearing {
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What people ask of sets of mirrors. */
export interface MirrorDesk {
  /**
   * The sets that are meant.
   *
   * @param set undefined for all
   * @throws `BadName` for one that is not configured
   */
  choose(set: string | undefined): readonly string[];
  /** @throws Denied; `Locked` where another command on the same state does not end */
  act(actor: Actor, of: { readonly set: string; readonly wish: MirrorWish }, hearing: MirrorHearing): Promise<unknown>;
}
