import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { keepFirst } from '../../activities/files/write.ts';

/**
 * Since when connections are connected, in milliseconds since the epoch: it is written down when it is first asked for.
 *
 * @param directory one folder for each connection
 */
export function openConnected(directory: string): (connection: string) => Promise<number> {
  const known = new Map<string, Promise<number>>();
  const read = async (connection: string) => {
    const folder = join(directory, connection);
    await mkdir(folder, { recursive: true });
    return Number(await keepFirst(join(folder, 'connected'), String(Date.now())));
  };
  return (connection) => {
    const since = known.get(connection) ?? read(connection);
    known.set(connection, since);
    since.catch(() => known.delete(connection));
    return since;
  };
}
