import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { addBranch, type Imported, importNewRefs } from '../../activities/review/git/repository.ts';
import type { Config } from '../config/load.ts';
import { gitHostSettings } from './settings.ts';

/** Makes a branch of a project that is under the gate; see `addBranch`. */
export async function makeBranch(
  config: Config,
  { project, branch, from }: { readonly project: string; readonly branch: string; readonly from: string },
): Promise<{ readonly project: string; readonly branch: string; readonly commit: string }> {
  return { project, branch, commit: await addBranch({ ...gitHostSettings(config), project }, branch, from) };
}

/**
 * Takes over branches and tags that a project does not have yet.
 *
 * @param url a directory or a Git URL; null for the one that the project was added from
 */
export async function importRefs(config: Config, project: string, url: string | null): Promise<Imported> {
  const known = config.projects[project];
  const from = url ?? known?.url;
  if (from === undefined && known === undefined)
    throw new Error(`sluice.yaml does not name it: \`sluice project add ${project} URL\` does`);
  if (from === undefined)
    throw new Error('sluice.yaml does not say where it comes from: give a directory or a Git URL');
  return importNewRefs({ ...gitHostSettings(config), project }, existsSync(from) ? resolve(from) : from);
}
