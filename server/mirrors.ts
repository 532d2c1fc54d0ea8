import type { MirrorResult } from '../pipelines/mirror/outcome.ts';
import type { MirrorWish } from '../pipelines/mirror/wish.ts';
import type { Actor } from '../pipelines/model/actor.ts';

/** What people ask of sets of mirrors. */
export interface MirrorDesk {
  /**
   * The sets that are meant.
   *
   * @param set undefined for all
   * @throws `BadName` for one that is not configured
   */
  choose(set: string | undefined): readonly string[];
  /**
   * What has begun goes on to its end, whoever goes away meanwhile: a transaction that breaks off may leave mirrors that
   * show different states.
   *
   * @param log hears how it goes
   * @throws Denied; `Locked` where another command on the same state does not end
   */
  act(
    actor: Actor,
    of: { readonly set: string; readonly wish: MirrorWish },
    log: (line: string) => void,
  ): Promise<MirrorResult>;
}
