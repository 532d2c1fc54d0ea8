import { setTimeout as sleep } from 'node:timers/promises';
import type { Occurrence, Stream } from '../port.ts';
import type { GerritSettings } from '../settings.ts';
import { type About, lookAt, readLine } from './ingest.ts';
import { type Gerrit, search } from './lookup.ts';
import { changeId } from './map.ts';
import { isSafeProject } from './safe.ts';
import { commitSchema, type GerritChange } from './schema.ts';
import { openCommand, type SshTimes, usualSshTimes } from './ssh.ts';

/** Milliseconds. */
export interface StreamTimes extends SshTimes {
  /** Until the first try to connect again; each pause is twice the one before. */
  readonly pause: number;
  readonly longestPause: number;
}

const usualStreamTimes: StreamTimes = { ...usualSshTimes, pause: 1_000, longestPause: 60_000 };

type Listener = Parameters<Stream['listen']>[0];

/** Characters of a line; a longer one is passed over, and what it was about is found by a look. */
const longestLine = 16 * 1024 * 1024;
/** Milliseconds after which Gerrit is asked again for the changes of a commit that it does not find. */
const indexPauses = [100, 300, 900];
/** Seconds before the last sign of the host from which changes are looked at again. */
const overlap = 120;
/** Seconds back at the first connection: what was missed while nothing of ours ran. What is open is looked at anyway. */
const firstLook = 24 * 3_600;

/**
 * Hears of a Gerrit's events over SSH. Gerrit repeats nothing: each time a connection stands, the changes that have
 * moved since the last sign of the host, by the host's own clock, are looked at before its events are read.
 */
export function createStream(gerrit: Gerrit, settings: GerritSettings, times: StreamTimes = usualStreamTimes): Stream {
  return {
    isHeard: () => gerrit.memory.merges.heard,
    async listen(listener) {
      const { signal, warn } = listener;
      const state: State = { seen: null };
      for (let pause = times.pause; !signal.aborted; ) {
        try {
          await listenOnce({ gerrit, settings, times, state }, listener, () => {
            pause = times.pause;
            listener.heard();
          });
          if (!signal.aborted) warn('the stream of events has ended; connecting again');
        } catch (error) {
          if (!signal.aborted) warn(`no events: ${(error as Error).message}`);
        }
        await sleep(pause, undefined, { signal }).catch(() => {});
        pause = Math.min(pause * 2, times.longestPause);
      }
    },
  };
}

interface State {
  /** When the host was last heard of, by its clock, in seconds since the epoch. */
  seen: number | null;
}

interface Setting {
  readonly gerrit: Gerrit;
  readonly settings: GerritSettings;
  readonly times: StreamTimes;
  readonly state: State;
}

async function listenOnce(setting: Setting, { take, warn, signal }: Listener, up: () => void): Promise<void> {
  const { gerrit, settings, times, state } = setting;
  const channel = await openCommand(settings, 'gerrit stream-events', times);
  const close = () => channel.destroy();
  signal.addEventListener('abort', close, { once: true });
  let said = '';
  channel.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(0, 300);
  });
  try {
    if (signal.aborted) return;
    // Events that come meanwhile wait in the channel.
    await catchUp(gerrit, state, take);
    up();
    gerrit.memory.merges.heard = true;
    for await (const line of linesOf(channel)) {
      if (line === null) {
        warn('an event was too long to be read; looking at what has moved');
        await catchUp(gerrit, state, take);
        continue;
      }
      const occurrence = await occurrenceOf(gerrit, line, new URL(settings.ssh).username);
      if (occurrence !== null) await take(occurrence);
      state.seen = Math.max(state.seen ?? 0, createdOn(line));
    }
  } finally {
    gerrit.memory.merges.heard = false;
    signal.removeEventListener('abort', close);
    channel.destroy();
  }
  if (said !== '' && !signal.aborted) throw new Error(said.toWellFormed().replace(/\s+/g, ' ').trim());
}

/** Looks at whatever has moved since the host was last heard of. */
async function catchUp(gerrit: Gerrit, state: State, take: Listener['take']): Promise<void> {
  const now = await hostTime(gerrit);
  const since = state.seen === null ? now - firstLook : state.seen - overlap;
  const after = new Date(since * 1_000).toISOString().slice(0, 19).replace('T', ' ');
  const moved = await search(gerrit, `after:"${after} +0000"`, []);
  for (const info of moved.toSorted((a, b) => a._number - b._number)) {
    if (!isOurs(gerrit, info)) continue;
    // The same state looked at twice is one occurrence.
    await take(lookAt(`look~${info._number}~${info.meta_rev_id ?? now}`, changeId(gerrit.connection, info._number)));
  }
  state.seen = Math.max(state.seen ?? 0, now);
}

function isOurs({ owns }: Gerrit, { project, branch }: GerritChange): boolean {
  return isSafeProject(project, branch) && owns(project);
}

/** What the host's clock says, in seconds. */
async function hostTime({ client }: Gerrit): Promise<number> {
  const answer = await client.call('GET', '/config/server/version');
  const date = answer.ok ? Date.parse(answer.headers.get('date') ?? '') : Number.NaN;
  if (Number.isNaN(date)) throw new Error('the host does not say what time it is');
  return Math.floor(date / 1_000);
}

/** What a line comes to; null where nothing follows from it. @param self our account */
export async function occurrenceOf(gerrit: Heard, line: string, self: string): Promise<Occurrence | null> {
  const read = readLine(line, gerrit, self);
  if (read.kind === 'occurrence') return isNews(gerrit, read.about) ? read.occurrence : null;
  // Where we have brought a branch ourselves, the change tells of.
  if (read.kind !== 'moved' || gerrit.memory.pushed.has(read.newrev)) return null;
  // A merge is told by its change, which the host keeps: told by both it would count twice.
  const merged = await mergedBy(gerrit, read);
  if (merged.length === 0) return read.occurrence;
  const { id } = read.occurrence;
  return { id, news: merged.map((number) => ({ kind: 'look', change: changeId(gerrit.connection, number) })) };
}

/** Whether a change is to be looked at: what follows on our own vote for a merge is told next, and looked at then. */
function isNews({ memory }: Pick<Heard, 'memory'>, about: About | undefined): boolean {
  if (about?.type !== 'change-merged') return !about?.isOwn || !memory.merging.has(about.number);
  memory.merging.delete(about.number);
  memory.merges.tell(about.number);
  return true;
}

type Heard = Pick<Gerrit, 'connection' | 'url' | 'client' | 'owns' | 'memory'>;

/** The changes that a commit at the tip of a branch is of, or merges. */
export async function mergedBy(
  gerrit: Pick<Heard, 'client' | 'owns' | 'memory'>,
  { project, newrev }: { readonly project: string; readonly newrev: string },
): Promise<number[]> {
  if (!gerrit.owns(project)) return [];
  const found = await gerrit.client.read(`/projects/${encodeURIComponent(project)}/commits/${newrev}`);
  if (found === null) return [];
  const { parents } = commitSchema.parse(found);
  const commits = [newrev, ...parents.slice(1).map(({ commit }) => commit)];
  const listed = [...gerrit.memory.changes.values()].filter(
    (change) => change.project === project && commits.includes(change.current_revision ?? ''),
  );
  if (listed.length > 0) return listed.map(({ _number }) => _number);
  const query = commits.map((commit) => `commit:${commit}`).join(' OR ');
  // While Gerrit makes an open change a merged one, its index has the change twice, or not at all.
  for (const pause of [...indexPauses, null]) {
    const changes = await search(gerrit, `project:"${project}" (${query})`, []);
    if (changes.length > 0 || pause === null) return [...new Set(changes.map(({ _number }) => _number))];
    await sleep(pause);
  }
  return [];
}

/** Lines as they come; null for one that is too long. */
async function* linesOf(channel: AsyncIterable<Buffer>): AsyncGenerator<string | null> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of channel) {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      size += end;
      parts.push(rest.subarray(0, end));
      yield size > longestLine ? null : Buffer.concat(parts).toString('utf8');
      [parts, size, rest] = [[], 0, rest.subarray(end + 1)];
    }
    size += rest.length;
    if (size <= longestLine) parts.push(rest);
  }
}

function createdOn(line: string): number {
  return Number(/"eventCreatedOn":(\d{1,12})\b/.exec(line)?.[1] ?? 0);
}
