import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { writeWhole } from '../../activities/files/write.ts';
import { checkout } from '../bootstrap/find.ts';

/** What a bundle is made of, relative to the checkout. */
const sources = ['workflows', 'pipelines', 'package-lock.json', 'infra/temporal/bundle.ts'];

/**
 * The workflows as one script. Making it takes seconds of processor time, so it is kept among the checkout's tools
 * under the digest of its sources, and made again when one of them changes.
 */
export async function bundleWorkflows(directory = join(checkout, '.tools')): Promise<WorkflowBundle> {
  const name = `workflows-${await digestSources()}.js`;
  const kept = await readFile(join(directory, name), 'utf8').catch(() => undefined);
  if (kept !== undefined) return { code: kept };
  const workflowsPath = join(checkout, 'workflows', 'index.ts');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  // A checkout that we may not write to costs time at each start, and no more.
  await keep(directory, name, code).catch(() => undefined);
  return { code };
}

async function digestSources(): Promise<string> {
  const files = await Promise.all(sources.map(filesOf));
  const hash = createHash('sha256');
  for (const file of files.flat().sort()) {
    const content = await readFile(join(checkout, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

async function filesOf(source: string): Promise<string[]> {
  const found = await readdir(join(checkout, source), { recursive: true, withFileTypes: true }).catch(() => null);
  if (found === null) return [source];
  return found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name).slice(checkout.length));
}

/** The new bundle appears whole or not at all; those of older sources go. */
async function keep(directory: string, name: string, code: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const old = (await readdir(directory)).filter((each) => each.startsWith('workflows-') && each !== name);
  await writeWhole(join(directory, name), code);
  for (const each of old) await rm(join(directory, each), { force: true });
}
