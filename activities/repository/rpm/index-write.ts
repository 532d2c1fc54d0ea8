import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../../process/run.ts';
import type { RepositorySettings } from '../port.ts';

/** Writes `repodata` for all packages of the tree, under names that carry their checksums. */
export async function index(tree: string, settings: RepositorySettings, date: Date): Promise<void> {
  await mkdir(join(tree, 'Packages'), { recursive: true });
  const revision = String(Math.floor(date.getTime() / 1000));
  const fixed = ['--revision', revision, '--set-timestamp-to-revision', '--checksum', 'sha256', '--no-database'];
  const format = ['--unique-md-filenames', '--general-compress-type', 'gz', '--repo', settings.origin];
  await must('createrepo_c', ['--quiet', ...fixed, ...format, tree]);
}

export function rootIndex(): string {
  return 'repodata/repomd.xml';
}

export function signatures(): { detached: string; clear: null } {
  return { detached: 'repodata/repomd.xml.asc', clear: null };
}
