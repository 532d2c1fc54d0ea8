import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { systemReason } from '../activities/files/system-reason.ts';
import type { ExportDescription } from '../pipelines/export/description.ts';
import { counted } from '../pipelines/model/words.ts';
import { type ApiClient, addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { failed, misused } from './fault.ts';
import { print } from './output.ts';

const details = `The directory gets the jobs as they were frozen, a Git bundle of each project,
the repositories that the jobs were offered, and the results. No secret is in
it: jobs that need some are exported with their names. It is written whole or
not at all; \`sluice import DIRECTORY\` runs the same jobs elsewhere.`;

/** More than a file system has. */
const boundless = { files: 10_000_000, bytes: Number.MAX_SAFE_INTEGER };

/** Adds `export`. */
export function register(program: Command): void {
  const examples = ['sluice export 3.1-8f2c0a out/tinycdb-7'];
  addClientOptions(addCommand(program, 'export', { examples, details }))
    .argument('<buildset>', 'BUILDSET of `sluice buildsets`, or its workflow’s id')
    .argument('<directory>', 'not there yet, or empty')
    .action(async (buildSet: string, directory: string, options: ClientOptions) => {
      await requireEmpty(directory);
      const description = await write(createClient(options), buildSet, resolve(directory));
      const { jobs, files, ...rest } = description;
      const bytes = Object.values(files).reduce((sum, { size }) => sum + size, 0);
      const secrets = [...new Set(jobs.flatMap((job) => job.secrets))];
      const shown = { directory: resolve(directory), files: Object.keys(files).length, bytes, secrets, jobs, ...rest };
      print(shown, render, options);
    });
}

interface Shown extends Pick<ExportDescription, 'jobs' | 'buildSet'> {
  readonly directory: string;
  readonly files: number;
  readonly bytes: number;
  readonly secrets: readonly string[];
}

function render({ directory, files, bytes, secrets, jobs, buildSet }: Shown): string {
  const what = `${counted(jobs.length, 'job')}, ${counted(files, 'file')}, ${counted(bytes, 'byte')}`;
  const lacks = secrets.length === 0 ? [] : [`Its jobs need secrets, which are not in it: ${secrets.join(', ')}`];
  return [`${buildSet.key} of ${buildSet.changes.join(', ')} is in ${directory}: ${what}`, ...lacks].join('\n');
}

/** @throws CommandError 2 for a directory with something in it, or what is no directory */
async function requireEmpty(directory: string): Promise<void> {
  const found = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw misused(
      `${directory} cannot be written to: ${error.code === 'ENOTDIR' ? 'it is a file' : systemReason(error)}`,
    );
  });
  if (found.length > 0) throw misused(`${directory} is not empty: name a directory that is, or is not there yet`);
}

/** Takes the archive into a directory beside, checks it, and gives that its name. */
async function write(client: ApiClient, buildSet: string, directory: string): Promise<ExportDescription> {
  const { unpack } = await import('../activities/nodes/unpack.ts');
  const { checkExport } = await import('../activities/export/check.ts');
  const { syncTree } = await import('../activities/files/sync.ts');
  const { moveWhole } = await import('../activities/files/write.ts');
  const archive = await client.download('/api/exports', { buildSet });
  const partial = `${directory}.${randomUUID()}.partial`;
  await mkdir(dirname(directory), { recursive: true });
  await mkdir(partial);
  const stop = new AbortController();
  const interrupt = () => stop.abort(failed('interrupted: nothing was written'));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  stop.signal.addEventListener('abort', () => archive.destroy(stop.signal.reason));
  try {
    await unpack(archive, partial, boundless);
    const description = await checkExport(partial);
    await syncTree(partial);
    await moveWhole(partial, directory);
    return description;
  } catch (error) {
    if (error instanceof Error && error.name === 'BadExport') {
      throw failed(`the server's archive broke off or is damaged; its log says why:\n${error.message}`);
    }
    if (error instanceof TypeError) throw failed(`the server at ${client.url} has ended before all was there`);
    throw error;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await rm(partial, { recursive: true, force: true });
  }
}
