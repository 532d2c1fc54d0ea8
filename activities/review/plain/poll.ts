import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import { writeWhole } from '../../files/write.ts';
import { mapAtOnce } from '../../process/at-once.ts';
import type { News, Occurrence, Stream } from '../port.ts';
import { type Desk, lookAtProject } from './look.ts';
import { changeId } from './names.ts';
import type { HostRefs } from './schema.ts';

export interface PollSettings {
  readonly desk: Desk;
  /** What each project was at last is kept there, so that what happens while nobody looks is found. */
  readonly directory: string;
  /** Milliseconds between two looks. */
  readonly poll: number;
}

/** What a project was at the last look; the number counts those that found something new. */
interface Snapshot {
  readonly number: number;
  readonly branches: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly proposals: Readonly<Record<string, string>>;
  readonly notes: Readonly<Record<string, string>>;
}

export interface Poller extends Stream {
  /** Has a project looked at now. */
  hint(project: string): void;
}

type Listener = Parameters<Stream['listen']>[0];

/** So many projects are looked at at the same time. */
const atOnce = 4;

/** Looks at all projects of a connection now and then, and at one when somebody says that it has something new. */
export function createPoller({ desk, directory, poll }: PollSettings): Poller {
  const hinted = new Set<string>();
  let ring = () => {};
  const round = async (projects: Iterable<string>, listener: Listener) => {
    const troubles: string[] = [];
    await mapAtOnce(projects, atOnce, async (project) => {
      if (listener.signal.aborted) return;
      await lookNow({ desk, directory, project }, listener).catch((error: Error) => troubles.push(error.message));
    });
    return troubles;
  };
  return {
    hint(project) {
      if (!desk.owns(project)) return;
      hinted.add(project);
      ring();
    },
    async listen(listener) {
      const { signal } = listener;
      for (let next = 0; !signal.aborted; ) {
        const whole = Date.now() >= next;
        if (whole) next = Date.now() + poll;
        const projects = whole ? desk.projects() : [...hinted];
        hinted.clear();
        const [trouble] = await round(projects, listener);
        if (trouble !== undefined) listener.warn(trouble);
        else if (whole) listener.heard();
        const waking = new AbortController();
        ring = () => waking.abort();
        if (hinted.size > 0) continue;
        const pause = Math.max(0, next - Date.now());
        await sleep(pause, undefined, { signal: AbortSignal.any([signal, waking.signal]) }).catch(() => {});
      }
    },
  };
}

interface Place {
  readonly desk: Desk;
  readonly directory: string;
  readonly project: string;
}

async function lookNow({ desk, directory, project }: Place, { take }: Listener): Promise<void> {
  const path = join(directory, `${project}.json`);
  const before = await readSnapshot(path);
  const refs = await lookAtProject(desk, project);
  const now = { number: (before?.number ?? 0) + 1, ...toSnapshot(refs) };
  if (before !== null && JSON.stringify({ ...before, number: now.number }) === JSON.stringify(now)) return;
  const news = newsOf(desk.connection, { project, before, now, time: Date.now() });
  if (news.length > 0) await take({ id: occurrenceId(project, now), news });
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, JSON.stringify(now), { mode: 0o600 });
}

/** The same look told twice is one; what comes back to what it was before is another. */
function occurrenceId(project: string, now: Snapshot): Occurrence['id'] {
  const digest = createHash('sha256')
    .update(JSON.stringify([project, now]))
    .digest('hex')
    .slice(0, 32);
  return `look:${now.number}:${digest}`;
}

function toSnapshot({ branches, tags, proposals, notes }: HostRefs): Omit<Snapshot, 'number'> {
  return {
    branches: Object.fromEntries(branches),
    tags: Object.fromEntries(tags),
    proposals: Object.fromEntries(proposals),
    notes: Object.fromEntries(notes),
  };
}

async function readSnapshot(path: string): Promise<Snapshot | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Snapshot;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

interface Between {
  readonly project: string;
  /** Null: nobody has looked before, and what there is is history but for what is open. */
  readonly before: Snapshot | null;
  readonly now: Snapshot;
  readonly time: number;
}

/** What has happened to a project between two looks: refs that moved, and proposals to look at. */
export function newsOf(connection: string, { project, before, now, time }: Between): readonly News[] {
  const moved = (of: 'branches' | 'tags', prefix: string) =>
    before === null ? [] : differences(before[of], now[of]).map((one) => ({ ...one, ref: `${prefix}${one.name}`, of }));
  const refs = [...moved('branches', 'refs/heads/'), ...moved('tags', 'refs/tags/')];
  const events = refs.map(({ ref, of, name, from, to }): News => {
    const noCommit = '0'.repeat((from ?? to ?? '').length);
    const event: TriggerEvent = {
      ...{ type: 'ref-updated', driver: 'git', connection, project, ref, time },
      ...(of === 'branches' ? { branch: name } : {}),
      ...{ oldrev: from ?? noCommit, newrev: to ?? noCommit },
    };
    return { kind: 'event', event };
  });
  // A branch that moves may have what was proposed for it, and notes may be on any of them.
  const all = events.length > 0 || JSON.stringify(before?.notes) !== JSON.stringify(now.notes);
  const changed = differences(before?.proposals ?? {}, now.proposals).map(({ name }) => name);
  const topics = new Set([...changed, ...(all ? Object.keys(now.proposals) : [])]);
  const looks = [...topics].map((topic): News => ({ kind: 'look', change: changeId(connection, { project, topic }) }));
  return [...events, ...looks];
}

type Ids = Readonly<Record<string, string>>;

function differences(before: Ids, now: Ids) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names
    .map((name) => ({ name, from: before[name], to: now[name] }))
    .filter(({ from, to }) => from !== to)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
