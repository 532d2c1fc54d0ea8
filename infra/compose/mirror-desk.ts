import { join } from 'node:path';
import { BadName } from '../../activities/git/names.ts';
import { doOnMirrors } from '../../activities/mirror/deeds.ts';
import { noSet } from '../../pipelines/mirror/outcome.ts';
import { demand } from '../../pipelines/policy/access.ts';
import type { MirrorDesk } from '../../server/mirrors.ts';
import type { MirrorsDeps } from './mirrors.ts';

/** Does in the server's process what `sluice mirror` does without one: on the same state, under the same locks. */
export function createMirrorDesk({ common, live, logger }: Omit<MirrorsDeps, 'report'>): MirrorDesk {
  const state = join(common.config.data, 'mirrors');
  const sets = () => live.settings().mirrors;
  return {
    choose(set) {
      const known = Object.keys(sets());
      if (set === undefined) return known;
      if (known.includes(set)) return [set];
      throw new BadName(noSet(set, known));
    },
    async act(actor, { set, wish }, log) {
      demand(actor, 'mirror', { name: set });
      const settings = sets()[set];
      if (settings === undefined) throw new BadName(noSet(set, Object.keys(sets())));
      const tell = (line: string) => {
        logger.info({ set }, line);
        log(line);
      };
      return doOnMirrors({ name: set, ...settings }, { state, now: Date.now, log: tell }, wish);
    },
  };
}
