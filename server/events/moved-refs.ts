import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeWhole } from '../../activities/files/write.ts';
import { isAway, type ReviewHost } from '../../activities/review/port.ts';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { createTurns } from './turns.ts';

/** What is known of a branch or tag. */
interface Known {
  /** What it was at when it was looked at last; zeros where it was not there. */
  readonly commit: string;
  /** A look has found that, and nobody had told it: where the ref was before. */
  readonly found?: string;
  /** What it was told to be at since: not in order, where a host does not keep to it. */
  readonly heard?: readonly string[];
}

/** By full name of the ref. */
type Refs = Readonly<Record<string, Known>>;

/** Which moves of branches and tags have been told, so that those of which nobody told are found. */
export interface MovedRefs {
  /** Whether a look has found what the host tells only now. */
  isKnown(event: TriggerEvent): Promise<boolean>;
  /** What the host has told was passed on, or was known. */
  note(event: TriggerEvent): Promise<void>;
  /**
   * Compares the branches and tags of projects with what is known of them, several projects at once. What is seen for the
   * first time is history. A project that cannot be looked at keeps nobody from the others, unless its host is away.
   *
   * @param tell passes on what nobody has told; what it throws leaves the move to the next look
   */
  find(looked: Looked, tell: (event: TriggerEvent) => Promise<void>): Promise<void>;
}

interface Looked {
  readonly host: Pick<ReviewHost, 'connection' | 'branches' | 'tags'>;
  readonly driver: string;
  readonly projects: readonly string[];
  /** Hears why a project could not be looked at. */
  readonly failed: (project: string, error: unknown) => void;
}

/** How a push is called at each kind of host; others tell of their moves by looks of their own. */
const pushes: Readonly<Record<string, string>> = {
  gerrit: 'ref-updated',
  github: 'push',
  gitlab: 'gl_push',
  gitea: 'gitea_push',
};

/** Whether moves at a kind of host may go untold. */
export function isWatched(driver: string): boolean {
  return Object.hasOwn(pushes, driver);
}

/** A tag's own object, which hosts tell of; they show the commit that it stands for. */
export interface TagObject {
  readonly project: string;
  readonly ref: string;
  readonly object: string;
}

/**
 * What is known is kept in files of `directory`, by connection and project.
 *
 * @param commitOf the commit that a tag's object stands for; undefined where it is not to be had any more
 */
export function openMovedRefs(directory: string, commitOf: (tag: TagObject) => Promise<string | undefined>): MovedRefs {
  const { read, update } = openMemory(directory);
  const newOf = async ({ project, ref = '', newrev = '' }: TriggerEvent) =>
    isTag(ref) && !isGone(newrev) ? ((await commitOf({ project, ref, object: newrev })) ?? unknown) : newrev;
  return {
    async isKnown(event) {
      if (!isMove(event)) return false;
      const known = (await read(event))?.[event.ref ?? ''];
      return known?.found !== undefined && isFound(known, event, await newOf(event));
    },
    async note(event) {
      const { ref = '' } = event;
      // Before the first look there is nothing to be noted, and a tag's object need not be fetched for it.
      if (!isMove(event) || (await read(event)) === null) return;
      const now = await newOf(event);
      await update(event, (refs) => {
        // Before the first look all is history, and what was found is told no further: the next look sees what came after.
        if (refs === null || isFound(refs[ref], event, now)) return null;
        const { commit, heard = [] } = refs[ref] ?? { commit: none };
        return { ...refs, [ref]: { commit, heard: [...heard, now].slice(-mostHeard) } };
      });
    },
    async find({ host, driver, projects, failed }, tell) {
      let away = 0;
      const left = projects.values();
      const worker = async () => {
        for (const project of left) {
          if (away >= mostAway) return;
          await findIn(project).catch((error: unknown) => {
            if (isAway(error)) away += 1;
            failed(project, error);
          });
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      async function findIn(project: string): Promise<void> {
        const of = { connection: host.connection, project };
        const before = await read(of);
        const now = await refsOf(host, project);
        // A host that shows nothing of a project is away, or has shut it: nobody has removed everything.
        if (now.size === 0) return;
        const moves = before === null ? [] : movesBetween(before, now);
        for (const move of moves) {
          if (!isSame(before, await read(of), move.ref)) continue;
          await tell({ ...of, ...move, type: pushes[driver] ?? '', driver, time: Date.now() });
          await update(of, (refs) => ({ ...refs, [move.ref]: { commit: move.newrev, found: move.oldrev } }));
        }
        await update(of, (refs) => settled(before, refs, now));
      }
    },
  };
}

/** Projects that are looked at at the same time, and so many fail by their host's absence before no more are begun. */
const [atOnce, mostAway] = [4, 3];
/** So many commits of a ref are told between two looks, and no more are kept. */
const mostHeard = 100;
const none = '0'.repeat(40);
/** What stands for the commit of a tag whose object could not be had. */
const unknown = '?';

type Move = Required<Pick<TriggerEvent, 'ref' | 'oldrev' | 'newrev'>> & Pick<TriggerEvent, 'branch'>;

/** What has moved since the last look, and nobody has told, in order of name. */
function movesBetween(before: Refs, now: ReadonlyMap<string, string>): readonly Move[] {
  const names = [...new Set([...Object.keys(before), ...now.keys()])].sort();
  return names.flatMap((ref) => {
    const { commit: oldrev, heard = [] } = before[ref] ?? { commit: none };
    const newrev = now.get(ref) ?? none;
    const isTold = heard.some(
      (one) => one === newrev || (isGone(one) && isGone(newrev)) || (one === unknown && !isGone(newrev)),
    );
    if (isTold || oldrev === newrev) return [];
    return [{ ref, ...(isTag(ref) ? {} : { branch: ref.slice('refs/heads/'.length) }), oldrev, newrev }];
  });
}

/**
 * Whether a look has found the move that an event is about. Of a tag whose commit is not known only that it is new can be
 * known again. Rather twice than never.
 *
 * @param now the commit that the ref is at with it
 */
function isFound(known: Known | undefined, { oldrev }: TriggerEvent, now: string): boolean {
  if (known?.found === undefined) return false;
  const { commit, found } = known;
  if (commit === now || (isGone(commit) && isGone(now))) return true;
  return now === unknown && !isGone(commit) && isGone(found) && isGone(oldrev);
}

/** Whether nobody has told anything of a ref in between. */
function isSame(before: Refs | null, after: Refs | null, ref: string): boolean {
  return JSON.stringify(before?.[ref]) === JSON.stringify(after?.[ref]);
}

/** What was told before the look has been seen in it; what was told since is kept for the next. */
function settled(before: Refs | null, refs: Refs | null, now: ReadonlyMap<string, string>): Refs {
  const names = new Set([...Object.keys(refs ?? {}), ...now.keys()]);
  const entries = [...names].flatMap((ref): [string, Known][] => {
    const [known, commit] = [refs?.[ref], now.get(ref)];
    if (!isSame(before, refs, ref)) return known === undefined ? [] : [[ref, known]];
    if (commit === undefined) return [];
    return [[ref, known?.commit === commit && known.heard === undefined ? known : { commit }]];
  });
  return Object.fromEntries(entries);
}

async function refsOf(host: Looked['host'], project: string): Promise<ReadonlyMap<string, string>> {
  const [branches, tags] = [await host.branches(project), await host.tags(project)];
  const named = (prefix: string, all: readonly { readonly name: string; readonly commit: string }[]) =>
    all.map(({ name, commit }) => [`${prefix}${name}`, commit] as const);
  return new Map(branches.length === 0 ? [] : [...named('refs/heads/', branches), ...named('refs/tags/', tags)]);
}

function isMove({ driver, ref = '', newrev, change }: TriggerEvent): boolean {
  return change === undefined && isWatched(driver) && newrev !== undefined && /^refs\/(heads|tags)\//.test(ref);
}

function isTag(ref: string): boolean {
  return ref.startsWith('refs/tags/');
}

function isGone(commit = ''): boolean {
  return /^0+$/.test(commit);
}

type Place = Pick<TriggerEvent, 'connection' | 'project'>;

/** Changes of one project's file follow each other. */
function openMemory(directory: string) {
  const pathOf = ({ connection, project }: Place) => join(directory, connection, '@refs', `${project}.json`);
  const turns = createTurns();
  const read = async (of: Place): Promise<Refs | null> => {
    const text = await readFile(pathOf(of), 'utf8').catch(ignoreAbsent);
    return text === null ? null : (JSON.parse(text) as Refs);
  };
  const update = async (of: Place, change: (refs: Refs | null) => Refs | null): Promise<void> => {
    const path = pathOf(of);
    await turns.take(path, async () => {
      const changed = change(await read(of));
      if (changed === null) return;
      await mkdir(dirname(path), { recursive: true });
      await writeWhole(path, JSON.stringify(changed), { mode: 0o600 });
    });
  };
  return { read, update };
}

function ignoreAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/**
 * Begins a look at the refs of a connection, unless one goes on or was begun less than `every` milliseconds ago, also where
 * that came to nothing. Nobody waits for it: on a large host it takes longer than a look at its open changes may.
 *
 * @param warn hears of a look that failed as a whole
 */
export function createRefLook(
  every: number,
  look: (connection: string) => Promise<void>,
  warn: (connection: string, error: unknown) => void,
): (connection: string) => void {
  const begun = new Map<string, number>();
  const going = new Set<string>();
  return (connection) => {
    const now = Date.now();
    if (going.has(connection) || now - (begun.get(connection) ?? Number.NEGATIVE_INFINITY) < every) return;
    begun.set(connection, now);
    going.add(connection);
    look(connection)
      .catch((error: unknown) => warn(connection, error))
      .finally(() => going.delete(connection));
  };
}
