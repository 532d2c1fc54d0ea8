import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  BadExport,
  descriptionFile,
  type ExportDescription,
  parseDescription,
} from '../../pipelines/export/description.ts';
import { exists } from '../files/exists.ts';
import { systemReason } from '../files/system-reason.ts';
import { entriesIn, measure } from './files.ts';

/** More than any list of files has; a larger one is not read. */
const longest = 256 * 1024 * 1024;

/**
 * Reads `export.json`, and compares every file with it.
 *
 * @throws BadExport that names each file which is missing, damaged, not named, or no regular file
 */
export async function checkExport(directory: string): Promise<ExportDescription> {
  const root = resolve(directory);
  const none = `${directory} is no export: it has no file ${descriptionFile}`;
  // A directory that is none may hold anything.
  if ((await exists(root)) && !(await exists(join(root, descriptionFile)))) throw new BadExport(none);
  const there = await entriesIn(root).catch((error: NodeJS.ErrnoException) => {
    throw new BadExport(`${directory} cannot be read: ${systemReason(error)}`);
  });
  const own = there.find(({ path }) => path === descriptionFile);
  if (!own?.isFile) throw new BadExport(none);
  const size = (await measure(join(root, descriptionFile))).size;
  if (size > longest) throw new BadExport(`${descriptionFile} has ${size} bytes: that is no list of files`);
  const description = parseDescription(await readFile(join(root, descriptionFile), 'utf8'));
  const faults = await faultsOf(root, description, there);
  if (faults.length > 0) throw new BadExport(faults.join('\n'));
  return description;
}

async function faultsOf(
  root: string,
  { files, ...description }: ExportDescription,
  there: Awaited<ReturnType<typeof entriesIn>>,
): Promise<readonly string[]> {
  const found = new Map(there.map((entry) => [entry.path, entry]));
  const faults: string[] = [];
  for (const { path, isFile } of there) {
    if (!isFile) faults.push(`${path}: it is a link or something else that no export has`);
    else if (path !== descriptionFile && !Object.hasOwn(files, path))
      faults.push(`${path}: ${descriptionFile} does not name it`);
  }
  for (const [path, wanted] of Object.entries(files)) {
    const entry = found.get(path);
    if (entry === undefined) faults.push(`${path}: it is missing`);
    else if (entry.isFile) {
      const is = await measure(join(root, path));
      if (is.size !== wanted.size) faults.push(`${path}: it has ${is.size} bytes, not ${wanted.size}`);
      else if (is.digest !== wanted.digest) faults.push(`${path}: it is damaged: its SHA-256 digest is another one`);
    }
  }
  const named = [description.graph, ...description.sources.map(({ bundle }) => bundle), description.archiveKey ?? []];
  const missing = named.flat().filter((path) => !Object.hasOwn(files, path));
  return [...faults, ...missing.map((path) => `${descriptionFile}: ${path} is not among its files`)];
}
