import { bareRepository, makeCommit, setBranch } from '../../../git/repository.ts';
import { git } from '../../github/server/state.ts';

/** What the server keeps, besides the repositories on disk. */

export interface NoteState {
  readonly id: number;
  readonly author: string;
  body: string;
  readonly system: boolean;
  readonly time: string;
  updated: string;
}

export interface RequestState {
  readonly iid: number;
  readonly author: string;
  title: string;
  description: string;
  base: string;
  readonly sourceBranch: string;
  /** Each with what it is compared with: a new target makes a version, too. */
  readonly versions: { readonly id: number; readonly head: string; readonly time: string }[];
  state: 'opened' | 'closed' | 'locked' | 'merged';
  draft: boolean;
  labels: string[];
  readonly created: string;
  updated: string;
  mergeCommit: string | null;
  squashCommit: string | null;
  readonly approvedBy: string[];
  readonly changesWantedBy: string[];
  openThreads: number;
  /** Of which commits the host has looked whether they fit, and what it found. */
  looked: { readonly at: string; readonly fits: boolean } | null;
  readonly notes: NoteState[];
  readonly labelEvents: { id: number; user: string; time: string; label: string; action: string }[];
  readonly stateEvents: { id: number; user: string; time: string; state: string }[];
}

export interface StatusState {
  readonly id: number;
  readonly sha: string;
  readonly name: string;
  readonly ref: string;
  readonly status: string;
  readonly targetUrl: string | null;
  readonly description: string | null;
  readonly author: string;
  readonly allowFailure: boolean;
}

export interface ProjectState {
  readonly id: number;
  name: string;
  /** Before it was renamed: the host leads on from there. */
  formerly?: string;
  readonly directory: string;
  archived: boolean;
  method: 'merge' | 'rebase_merge' | 'ff';
  squash: 'never' | 'always' | 'default_on' | 'default_off';
  pipelineRequired: boolean;
  threadsRequired: boolean;
  approvalsRequired: number;
  /** Whether Sluice's account may push to protected branches, and merge into them. */
  mayPush: boolean;
  mayMerge: boolean;
  level: number;
  /** The host finds a conflict where Git merges. */
  anxious: boolean;
  labels: string[];
  hooks: Record<string, unknown>[];
  readonly requests: RequestState[];
  readonly statuses: StatusState[];
}

/** What goes wrong with requests whose method and path match, so many times. */
export interface Fault {
  readonly match: RegExp;
  readonly kind: 'unavailable' | 'html' | 'cut' | 'limited' | 'reset' | 'busy' | 405 | 406 | 409 | 401;
  times: number;
  /** Whether it is carried out all the same. */
  readonly done?: boolean;
}

export interface World {
  readonly root: string;
  /** Below which path the site is. */
  readonly base: string;
  url: string;
  readonly token: string;
  readonly login: string;
  scopes: string[];
  readonly projects: ProjectState[];
  readonly faults: Fault[];
  /** `METHOD PATH` of all that was asked. */
  readonly asked: string[];
  readonly problems: string[];
  /** Lines of notes that were done instead of shown. */
  readonly commands: string[];
  /** Milliseconds that the server's clock is ahead. */
  skew: number;
  /** How often a merge request is read before the host has seen what was pushed. */
  lag: number;
  /** Called before a merge is carried out. */
  beforeMerge: (() => Promise<void>) | null;
  /** Called once an answer is found, before it is sent. */
  onAnswered: ((asked: string) => Promise<void>) | null;
}

let last = 1_000;

export function nextId(): number {
  last += 1;
  return last;
}

let moment = 0;

/** No two moments are the same: order is what counts. */
export function now(world: Pick<World, 'skew'>): string {
  moment = Math.max(moment + 1, Date.now() + world.skew);
  return new Date(moment).toISOString();
}

export function createWorld(root: string): World {
  return {
    ...{ root, base: '/lab', url: '', token: 'glpat-canary-0123456789', login: 'sluice', scopes: ['api'] },
    ...{ projects: [], faults: [], asked: [], problems: [], commands: [] },
    ...{ skew: 0, lag: 1, beforeMerge: null, onAnswered: null },
  };
}

/** A project whose `master` holds one file, and is protected. */
export async function addProject(world: World, name: string): Promise<ProjectState> {
  const directory = await bareRepository(world.root, name);
  await setBranch(directory, 'master', await makeCommit(directory, { files: { start: name } }));
  const hook = { url: 'https://ci.example.org/api/connection/lab/payload', push_events: true, note_events: true };
  const project: ProjectState = {
    ...{ id: nextId(), name, directory, archived: false, method: 'merge', squash: 'default_off' },
    ...{ pipelineRequired: false, threadsRequired: false, approvalsRequired: 0 },
    ...{ mayPush: false, mayMerge: true, level: 40, anxious: false, labels: ['bug', 'gate'] },
    hooks: [{ id: nextId(), ...hook, merge_requests_events: true, tag_push_events: true, pipeline_events: true }],
    ...{ requests: [], statuses: [] },
  };
  world.projects.push(project);
  return project;
}

export function headOf({ versions }: RequestState): string {
  return versions.at(-1)?.head ?? '';
}

export function addNote(world: World, request: RequestState, said: { author: string; body: string; system?: boolean }) {
  const time = now(world);
  const note = { id: nextId(), system: false, ...said, time, updated: time };
  request.notes.push(note);
  request.updated = note.time;
  return note;
}

export async function setHead(world: World, project: ProjectState, given: { request: RequestState; head: string }) {
  const { request, head } = given;
  await git(project, 'update-ref', `refs/merge-requests/${request.iid}/head`, head);
  const time = now(world);
  request.versions.push({ id: nextId(), head, time });
  request.updated = time;
}

export function setState(world: World, request: RequestState, { by, state }: { by: string; state: string }): void {
  const time = now(world);
  request.state = state === 'reopened' ? 'opened' : (state as RequestState['state']);
  request.stateEvents.push({ id: nextId(), user: by, time, state });
  request.updated = time;
}

export function approve(world: World, request: RequestState, by: string): void {
  if (!request.approvedBy.includes(by)) request.approvedBy.push(by);
  addNote(world, request, { author: by, body: 'approved this merge request', system: true });
}

export function unapprove(world: World, request: RequestState, by: string): boolean {
  const at = request.approvedBy.indexOf(by);
  if (at < 0) return false;
  request.approvedBy.splice(at, 1);
  addNote(world, request, { author: by, body: 'unapproved this merge request', system: true });
  return true;
}

export function setLabel(world: World, request: RequestState, given: { name: string; by: string; on: boolean }): void {
  const { name, by, on } = given;
  const time = now(world);
  request.labels = [...request.labels.filter((each) => each !== name), ...(on ? [name] : [])];
  request.labelEvents.push({ id: nextId(), user: by, time, label: name, action: on ? 'add' : 'remove' });
  request.updated = time;
}
