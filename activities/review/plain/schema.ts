import { isObjectId, isSafeBranch } from '../../git/names.ts';
import type { ReviewReport } from '../port.ts';
import { isTopic, proposalsPrefix } from './names.ts';

/** What a host's refs come to; names that are not of the safe kind are left out. */
export interface HostRefs {
  /** The branch that HEAD stands for, where the host says so. */
  readonly head: string | null;
  /** Without proposals. */
  readonly branches: ReadonlyMap<string, string>;
  /** Topics of proposals with their commits. */
  readonly proposals: ReadonlyMap<string, string>;
  /** Objects that tags stand for. */
  readonly tags: ReadonlyMap<string, string>;
  /** Who keeps notes with votes, and the commits that these are in. */
  readonly notes: ReadonlyMap<string, string>;
}

export const notesPrefix = 'refs/notes/votes/';
const [heads, tags] = ['refs/heads/', 'refs/tags/'];

/** What to ask a host for. */
export const wantedRefs: readonly string[] = ['HEAD', `${heads}*`, `${tags}*`, `${notesPrefix}*`];

/** Reads what `git ls-remote --symref` prints. */
export function parseRefs(output: string): HostRefs {
  const found = { branches: new Map(), proposals: new Map(), tags: new Map(), notes: new Map() };
  let head: string | null = null;
  for (const line of output.split('\n')) {
    const [id = '', ref = '', ...more] = line.split('\t');
    if (more.length > 0) continue;
    if (ref === 'HEAD' && id.startsWith(`ref: ${heads}`)) head = id.slice(`ref: ${heads}`.length);
    else if (isObjectId(id)) place(found, ref, id);
  }
  return { head, ...found };
}

function place(
  found: Record<'branches' | 'proposals' | 'tags' | 'notes', Map<string, string>>,
  ref: string,
  id: string,
) {
  if (ref.startsWith(heads)) {
    const name = ref.slice(heads.length);
    const topic = name.startsWith(proposalsPrefix) ? name.slice(proposalsPrefix.length) : null;
    if (topic !== null && isTopic(topic)) found.proposals.set(topic, id);
    else if (topic === null && isSafeBranch(name)) found.branches.set(name, id);
  } else if (ref.startsWith(tags)) {
    // An annotated tag is followed by what it stands for.
    const name = ref.slice(tags.length).replace(/\^\{\}$/, '');
    if (isSafeBranch(name)) found.tags.set(name, id);
  } else if (ref.startsWith(notesPrefix)) {
    const by = ref.slice(notesPrefix.length);
    if (isSafeBranch(by)) found.notes.set(by, id);
  }
}

/** A note on a commit: lines `LABEL: VALUE` are votes, the rest is said. */
export interface NoteText {
  /** By label; what is said last holds. */
  readonly votes: ReadonlyMap<string, number>;
  readonly comment: string;
  /** The reports of Sluice that it holds. */
  readonly reports: readonly string[];
  /** What the last of them is about, where it says so. */
  readonly about?: ReportAbout;
}

/** The pipeline that reports, and which of its reports it is. */
interface ReportAbout {
  readonly pipeline: string;
  readonly action: string;
}

const vote = /^([A-Za-z][A-Za-z0-9-]{0,49}): *([+-]?[0-9]{1,2})$/;
const report = /^Sluice-Report: ([0-9a-f]{32})(?: ([A-Za-z0-9_-]+)~([a-z-]+))?$/;
/** Characters of a note that are read, and of a comment that is carried on. */
export const longestNote = 1024 * 1024;
const longestComment = 64 * 1024;

export function parseNote(text: string): NoteText {
  const votes = new Map<string, number>();
  const reports: string[] = [];
  const said: string[] = [];
  let about: ReportAbout | undefined;
  for (const line of text.slice(0, longestNote).split('\n')) {
    const [, label, value] = vote.exec(line) ?? [];
    const [, key, pipeline, action] = report.exec(line) ?? [];
    if (label !== undefined) votes.set(label, Number(value));
    else if (key !== undefined) {
      reports.push(key);
      about = pipeline === undefined || action === undefined ? undefined : { pipeline, action };
    } else said.push(line);
  }
  const known = about === undefined ? {} : { about };
  return { votes, reports, ...known, comment: said.join('\n').trim().slice(0, longestComment).toWellFormed() };
}

/** What is put behind a note that is there. */
export function formatNote(
  { message, key, about }: Pick<ReviewReport, 'message' | 'key' | 'about'>,
  votes: Iterable<readonly [string, number]>,
): string {
  // A line of a message that looks like a vote is none.
  const quoted = message
    .toWellFormed()
    .slice(0, longestComment)
    .toWellFormed()
    .split('\n')
    .map((line) => (vote.test(line) || report.test(line) ? ` ${line}` : line));
  const lines = [...votes].map(([label, value]) => `${label}: ${value > 0 ? '+' : ''}${value}`);
  const what = about === undefined ? '' : ` ${about.pipeline.replace(/[^A-Za-z0-9_-]/g, '-')}~${about.action}`;
  return [...quoted, '', ...lines, `Sluice-Report: ${key}${what}`, ''].join('\n');
}
