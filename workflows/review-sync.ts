import { control } from './activities.ts';

/** Reads the open changes of a connection again: what no event told is found here. Started by a schedule. */
export async function reviewSync(input: { readonly connection: string }): Promise<{ readonly events: number }> {
  return control.syncReviews(input);
}
