import { readFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../activities/files/write.ts';

/** Which projects the host of each connection has: known also while it is away, and after a restart. */
export interface Listing {
  /** As the host said last; none before it has said anything. */
  read(connection: string): readonly string[];
  write(connection: string, projects: readonly string[]): Promise<void>;
}

/** @param directory one file for each connection */
export function openListing(directory: string): Listing {
  const known = new Map<string, { readonly stamp: string; readonly projects: readonly string[] }>();
  const pathOf = (connection: string) => join(directory, `${connection}.json`);
  const read = (connection: string): readonly string[] => {
    const path = pathOf(connection);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return [];
    const stamp = [found.mtimeMs, found.size, found.ino].join(' ');
    const before = known.get(connection);
    if (before?.stamp === stamp) return before.projects;
    const projects = JSON.parse(readFileSync(path, 'utf8')) as readonly string[];
    known.set(connection, { stamp, projects });
    return projects;
  };
  return {
    read,
    async write(connection, projects) {
      const text = JSON.stringify(projects);
      if (text === JSON.stringify(read(connection))) return;
      await mkdir(directory, { recursive: true });
      await writeWhole(pathOf(connection), text);
    },
  };
}
