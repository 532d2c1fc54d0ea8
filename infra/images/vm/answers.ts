import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { configurationFault } from '../../../activities/failure.ts';
import { systemReason } from '../../../activities/files/system-reason.ts';
import { must } from '../../../activities/process/run.ts';
import type { Entry } from './cpio.ts';

/** Bytes that all answers have at most: they are kept in memory. */
const most = 64 * 1024 ** 2;

/**
 * The files and directories that an installer is told by, in the order of their names.
 *
 * @throws a Configuration failure where the directory is not there, is too large, or has what is neither
 */
export async function readAnswers(directory: string): Promise<readonly Entry[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw configurationFault(`the answers ${directory} cannot be read: ${systemReason(error)}`);
    },
  );
  let left = most;
  const entries: Entry[] = [];
  for (const each of found) {
    const full = join(each.parentPath, each.name);
    const path = relative(directory, full);
    if (!each.isDirectory() && !each.isFile())
      throw configurationFault(`the answer ${full} is neither a file nor a directory`);
    const { size, mode } = await lstat(full);
    left -= each.isFile() ? size : 0;
    if (left < 0) throw configurationFault(`the answers ${directory} are larger than ${most} bytes`);
    const content = each.isFile() ? await readFile(full) : null;
    entries.push({ path, content, executable: (mode & 0o111) !== 0 });
  }
  // A directory is before what is in it.
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What changes with any of them. @throws as `readAnswers` */
export async function answersDigest(directory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, content, executable } of await readAnswers(directory)) {
    hash.update(JSON.stringify([path, content === null ? null : content.length, executable]));
    if (content !== null) hash.update(content);
  }
  return hash.digest('hex');
}

/** Makes the CD that an installer looks for. */
export async function makeAnswersCd(to: string, directory: string, label: string): Promise<void> {
  await must('genisoimage', ['-quiet', '-output', to, '-volid', label, '-joliet', '-rational-rock', directory]);
}
