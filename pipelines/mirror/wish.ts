import { z } from 'zod';
import type { SetsDone } from './outcome.ts';

const dryRun = z.boolean().optional();

/** What may be asked of a set of mirrors. */
export const mirrorWish = z.discriminatedUnion('deed', [
  z.object({
    deed: z.literal('sync'),
    dryRun,
    now: z.boolean().optional().describe("outside the set's window as well"),
  }),
  z.object({ deed: z.literal('status') }),
  z.object({
    deed: z.literal('rollback'),
    to: z.string().max(500).optional().describe('a snapshot'),
    hold: z.boolean().optional().describe('pause the set besides'),
  }),
  z.object({ deed: z.literal('verify') }),
  z.object({ deed: z.literal('prune'), dryRun }),
  z.object({ deed: z.literal('pause') }),
  z.object({ deed: z.literal('resume') }),
]);

export type MirrorWish = z.infer<typeof mirrorWish>;

/** Whether mirrors are looked at alone: nothing that the audit log keeps. */
export function isLook(wish: MirrorWish): boolean {
  return wish.deed === 'status' || ('dryRun' in wish && wish.dryRun === true);
}

/** A line of the answer: how it goes, and at its end what came of the sets. */
export interface MirrorLine extends Partial<SetsDone> {
  readonly log?: string;
}
