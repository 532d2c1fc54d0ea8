import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../../files/exists.ts';
import { type MergedState, readMerged, type StateName } from '../../git/merged.ts';
import { repositoryPath } from '../../git/names.ts';
import { makeWhole } from '../../git/whole.ts';

export interface LookupPlaces {
  /** Directory of the host's bare repositories: read, and nothing else. */
  readonly hosts: string;
  /** A directory of our own, made when absent. */
  readonly scratch: string;
}

/**
 * Looks branches up in the repositories of the plain-Git host without being its user: refs are read as files, and
 * objects through an empty repository of our own, so that nothing that a repository's configuration says has effect.
 */
export function openLookup({ hosts, scratch }: LookupPlaces): (of: StateName) => Promise<MergedState | null> {
  return async (of) => {
    const refs = repositoryPath(hosts, of.project);
    if (!(await exists(refs))) return null;
    const objects = await borrow(refs, repositoryPath(scratch, of.project), of.commit);
    return readMerged({ refs, objects }, of);
  };
}

/** An empty repository that reads another's objects; a commit's id tells by its length how they are named. */
async function borrow(from: string, own: string, commit: string): Promise<string> {
  const format = commit.length === 64 ? 'sha256' : 'sha1';
  const path = format === 'sha1' ? own : `${own}.${format}`;
  if (await exists(path)) return path;
  const objects = `${join(from, 'objects')}\n`;
  await makeWhole(path, (partial) => writeFile(join(partial, 'objects', 'info', 'alternates'), objects), format);
  return path;
}
