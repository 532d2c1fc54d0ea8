import type { MirrorResult } from '../../pipelines/mirror/outcome.ts';
import type { MirrorWish } from '../../pipelines/mirror/wish.ts';
import { mirrorStatus, pruneMirrors } from './inspect.ts';
import { pauseMirrors, resumeMirrors } from './pause.ts';
import { rollbackMirrors } from './rollback.ts';
import { syncMirrors } from './sync.ts';
import type { MirrorContext, MirrorSet } from './types.ts';
import { verifyMirrors } from './verify.ts';

/** Does what somebody wants of a set of mirrors. @throws Locked */
export function doOnMirrors(set: MirrorSet, context: MirrorContext, wish: MirrorWish): Promise<MirrorResult> {
  switch (wish.deed) {
    case 'sync': {
      const asked = wish.now ? { ...set, window: undefined } : set;
      return syncMirrors(asked, context, { dryRun: wish.dryRun === true });
    }
    case 'status':
      return mirrorStatus(set, context);
    case 'rollback':
      return rollbackMirrors(set, context, { to: wish.to, hold: wish.hold });
    case 'verify':
      return verifyMirrors(set, context);
    case 'prune':
      return pruneMirrors(set, context, { dryRun: wish.dryRun });
    case 'pause':
      return pauseMirrors(set, context);
    case 'resume':
      return resumeMirrors(set, context);
  }
}
