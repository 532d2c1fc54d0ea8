import type { Pattern } from '../pattern.ts';
import type { JobDraft } from './draft.ts';

/** Gerrit's name for the message of a commit: not a file that anybody changed. */
const COMMIT_MESSAGE = '/COMMIT_MSG';

/** Whether a job is meant for a change to these files. A change that names no files is meant for every job. */
export function matchesFiles(draft: JobDraft, files: readonly string[] | null): boolean {
  const changed = (files ?? []).filter((file) => file !== COMMIT_MESSAGE);
  if (changed.length === 0) return true;
  const { files: wanted, 'irrelevant-files': irrelevant } = draft.matchers;
  if (wanted !== undefined && !changed.some((file) => anyMatches(wanted, file))) return false;
  return irrelevant === undefined || !changed.every((file) => anyMatches(irrelevant, file));
}

function anyMatches(patterns: readonly Pattern[], file: string): boolean {
  return patterns.some((pattern) => pattern.matches(file));
}

/** Whether a change alters the playbooks or the included variables of a job. */
export function altersContent(draft: JobDraft, project: string, files: readonly string[] | null): boolean {
  const changed = new Set(files ?? []);
  if (draft.includedFiles.some((file) => (file.project ?? project) === project && changed.has(file.path))) return true;
  const books = [...draft.preRun, ...draft.run, ...draft.postRun];
  return books.some((book) => book.project === project && changed.has(book.path));
}
