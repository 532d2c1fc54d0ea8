import type { Git } from '../../git/port.ts';
import { HostAway } from '../../outcome.ts';
import type { Journal, Noticed } from '../journal.ts';
import { type Client, NoProject } from './client.ts';
import { fresh, type Note, type Sight, type State, stateOf } from './history.ts';
import { journalName, type ProposalName, targetOf } from './names.ts';
import { type HostRefs, longestNote, notesPrefix } from './schema.ts';

/** All that an open connection has. */
export interface Desk {
  readonly connection: string;
  /** Whose notes are Sluice's. */
  readonly self: string;
  readonly client: Client;
  readonly git: Git;
  readonly journal: Journal;
  readonly owns: (project: string) => boolean;
  /** Label of the votes that approve, where it is another than the usual one. */
  readonly approve: string | undefined;
  /** The projects that the connection has now. */
  readonly projects: () => readonly string[];
  /** What was found of commits, which do not change. */
  readonly found: Memory;
  /** By project: the refs that were fetched last. */
  readonly fetched: Map<string, string>;
}

export interface Memory {
  take<T>(key: string, read: () => Promise<T>): Promise<T>;
}

/** So many answers are kept. */
const mostKept = 20_000;

export function openMemory(): Memory {
  const kept = new Map<string, Promise<unknown>>();
  return {
    take<T>(key: string, read: () => Promise<T>): Promise<T> {
      const known = kept.get(key) as Promise<T> | undefined;
      if (known !== undefined) return known;
      if (kept.size > mostKept) kept.clear();
      const answer = read();
      kept.set(key, answer);
      answer.catch(() => kept.delete(key));
      return answer;
    },
  };
}

/** A proposal after a look at its host: all that was noticed of it, and what that comes to. */
export interface Proposal {
  readonly name: ProposalName;
  readonly noticed: readonly Noticed[];
  readonly state: State;
  readonly sight: Sight;
  readonly refs: HostRefs;
}

/** Asks the host for the refs of a project, and has what they name here. */
export async function lookAtProject(desk: Desk, project: string): Promise<HostRefs> {
  const refs = await desk.client.list(project);
  const { branches, proposals, tags, notes } = refs;
  // Git takes a page of a web server for a repository without refs: nobody has taken everything back.
  if (branches.size + proposals.size === 0 && (await desk.git.branches(project)).size > 0)
    throw new HostAway(`${desk.connection} shows no branch of ${project} any more`);
  const stamp = JSON.stringify([branches, proposals, tags, notes].map((each) => [...each]));
  if (desk.fetched.get(project) !== stamp) {
    const wanted = [...notes.keys()].map((by) => `${notesPrefix}${by}`);
    await desk.git.ensure(project, wanted);
    desk.fetched.set(project, stamp);
  }
  return refs;
}

/** Looks at a proposal. @returns null for what was never proposed. @throws HostAway */
export async function lookAt(desk: Desk, name: ProposalName, seen?: HostRefs): Promise<Proposal | null> {
  const path = journalName(name);
  const known = await desk.journal.extend(path, () => []);
  const refs = seen ?? (await lookAtProject(desk, name.project).catch((error) => orStranger(error, known)));
  if (refs === null) return null;
  if (known.length === 0 && !refs.proposals.has(name.topic)) return null;
  const sight = await seeing(desk, { name, refs, state: stateOf(known) });
  const noticed = await desk.journal.extend(path, (before) => fresh(before, sight));
  const state = stateOf(noticed);
  return state.heads.length === 0 ? null : { name, noticed, state, sight, refs };
}

/** Of a project that never was there nobody has proposed anything; one that was is renamed, or shut to us. */
function orStranger(error: unknown, known: readonly Noticed[]): null {
  if (error instanceof NoProject && known.length === 0) return null;
  throw error;
}

interface Seen {
  readonly name: ProposalName;
  readonly refs: HostRefs;
  readonly state: State;
}

async function seeing(desk: Desk, { name, refs, state }: Seen): Promise<Sight> {
  const head = refs.proposals.get(name.topic) ?? null;
  const target = state.target ?? targetOf(name.topic, new Set(refs.branches.keys()), refs.head);
  const tip = (target === null ? undefined : refs.branches.get(target)) ?? null;
  const last = head ?? state.heads.at(-1) ?? null;
  const landed = tip !== null && last !== null && (await contains(desk, { project: name.project, tip, commit: last }));
  const said = head === null ? [] : await readNotes(desk, { project: name.project, refs, commit: head });
  const { connection, self } = desk;
  return { connection, self, name, head, target, tip, landed, notes: said, now: Date.now() };
}

interface Containing {
  readonly project: string;
  readonly tip: string;
  readonly commit: string;
}

/** Whether a commit is, or contains, another. @throws HostAway where one of them is not here: the host has moved on */
export function contains(desk: Desk, { project, tip, commit }: Containing): Promise<boolean> {
  return desk.found.take(`contains ${project} ${tip} ${commit}`, async () => {
    if (tip === commit) return true;
    await demandCommits(desk, project, [tip, commit]);
    return desk.git.isAncestor(project, commit, tip);
  });
}

/** A branch may be moved between the look at it and the fetch: the next look finds it where it is. */
async function demandCommits(desk: Desk, project: string, commits: readonly string[]): Promise<void> {
  for (const commit of commits) {
    await desk.git.readCommit(project, commit).catch((error: Error) => {
      desk.fetched.delete(project);
      throw new HostAway(`${desk.connection} does not have ${commit} of ${project} any more`, { cause: error });
    });
  }
}

interface NotesOf {
  readonly project: string;
  readonly refs: HostRefs;
  readonly commit: string;
}

async function readNotes(desk: Desk, { project, refs, commit }: NotesOf): Promise<readonly Note[]> {
  const found = await Promise.all(
    [...refs.notes].map(async ([by, at]) => {
      // What somebody keeps there may be no notes at all.
      const note = await readNote(desk, { project, at, commit }).catch(() => null);
      return note === null ? [] : [{ by, ...note }];
    }),
  );
  return found.flat();
}

interface NoteAt {
  readonly project: string;
  /** The commit of the notes. */
  readonly at: string;
  readonly commit: string;
}

function readNote(desk: Desk, { project, at, commit }: NoteAt): Promise<Omit<Note, 'by'> | null> {
  return desk.found.take(`note ${project} ${at} ${commit}`, async () => {
    const path = (await notePaths(desk, project, at)).get(commit);
    if (path === undefined) return null;
    const [file] = await desk.git.readTree(project, at, [path]);
    const { committer } = await desk.git.readCommit(project, at);
    const seconds = Number(/ (\d+) [+-]\d{4}$/.exec(committer)?.[1] ?? 0);
    return file === undefined ? null : { text: file.text.slice(0, longestNote), time: seconds * 1000 };
  });
}

/** Git spreads many notes over folders: the commit that one is on is its path without slashes. */
function notePaths(desk: Desk, project: string, at: string): Promise<ReadonlyMap<string, string>> {
  return desk.found.take(`notes ${project} ${at}`, async () => {
    const paths = await desk.git.changedFiles(project, null, at);
    return new Map(paths.map((path) => [path.replaceAll('/', ''), path]));
  });
}
