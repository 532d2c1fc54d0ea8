import { stat } from 'node:fs/promises';

/** Whether there is something at a path, links followed; what may not be looked at counts as not there. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
