import { tryGit } from '../../git/git.ts';
import { readChangeId, subjectOf } from '../footers.ts';
import type { HostSettings } from './client.ts';
import { changeId } from './map.ts';
import { findByChangeId } from './store.ts';

export interface Collision {
  readonly repo: string;
  /** Where the branch is at. */
  readonly tip: string;
  /** The change that does not fit onto it. */
  readonly commit: string;
  readonly files: readonly string[];
}

/** Who brought one of the files last to the branch, besides what the change stands on; null where nobody is found. */
export async function rivalOf(settings: HostSettings, { repo, tip, commit, files }: Collision): Promise<string | null> {
  const range = ['log', '-1', '--format=%B', tip, `^${commit}`, '--', ...files];
  const { code, stdout } = await tryGit(repo, ['--literal-pathspecs', ...range]);
  if (code !== 0 || stdout.trim() === '') return null;
  const answer = readChangeId(stdout);
  const [stored] = answer.ok ? await findByChangeId(repo, answer.changeId) : [];
  const subject = subjectOf(stdout);
  return stored === undefined ? subject : `${changeId(settings.connection, stored.record.number)} (${subject})`;
}
