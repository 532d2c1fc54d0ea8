import { control } from './activities.ts';
import { reviewSyncId } from './ids.ts';
import { requireInput, requireScheduledId } from './input.ts';

/** Reads the open changes of a connection again: what no event told is found here. Started by a schedule. */
export async function reviewSync(input: { readonly connection: string }): Promise<{ readonly events: number }> {
  requireInput('reviewSync', input);
  requireScheduledId(reviewSyncId(input.connection));
  return control.syncReviews(input);
}
