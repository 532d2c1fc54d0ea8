import { createHash } from 'node:crypto';
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isPlaybook } from '../../pipelines/model/job.ts';
import type { Provision } from '../../pipelines/model/platform.ts';
import { configurationFault } from '../failure.ts';
import { knownSha256 } from '../files/digest.ts';

/** What is wrong with what is to be run, by the keys of `provision`. */
export interface ProvisionFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What of the files that are named is not there, or cannot be run. */
export async function provisionFaults({ directory, run }: Provision): Promise<readonly ProvisionFault[]> {
  const found = await stat(directory).catch(() => null);
  if (!found?.isDirectory()) return [{ path: ['directory'], message: `there is no directory ${directory}` }];
  const faults = await Promise.all(
    run.map(async (path, index) => {
      const reason = await faultOf(directory, path);
      return reason === null ? [] : [{ path: ['run', index], message: reason }];
    }),
  );
  return faults.flat();
}

async function faultOf(directory: string, path: string): Promise<string | null> {
  const file = await stat(join(directory, path)).catch(() => null);
  if (!file?.isFile()) return `there is no file ${path} in ${directory}`;
  if (isPlaybook({ path }) || (file.mode & 0o111) !== 0) return null;
  return `${path} is not executable: chmod +x ${join(directory, path)}`;
}

/**
 * The digest of what is run, and of all that is beside it.
 *
 * @throws a Configuration failure where that is not there
 */
export async function provisionDigest(provision: Provision): Promise<string> {
  const [fault] = await provisionFaults(provision);
  if (fault !== undefined) throw configurationFault(fault.message);
  const entries = await readdir(provision.directory, { recursive: true, withFileTypes: true });
  const all = await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      if (entry.isSymbolicLink()) return [path, 'link', await readlink(path)];
      if (!entry.isFile()) return [path, 'directory'];
      return [path, (await stat(path)).mode & 0o111, await knownSha256(path)];
    }),
  );
  const text = JSON.stringify([provision.run, all.map((each) => JSON.stringify(each)).sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
