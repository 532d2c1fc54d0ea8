import { existsSync } from 'node:fs';

/** Whether there is something at a path, links followed; what may not be looked at counts as not there. */
export async function exists(path: string): Promise<boolean> {
  // A turn of the event loop takes longer than the look.
  return existsSync(path);
}
