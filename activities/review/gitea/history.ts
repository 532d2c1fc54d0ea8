import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import { headsIn, type Journal, lastHeadSince, type Noticed, noticeSince } from '../journal.ts';
import { isOwnStatus } from '../mark.ts';
import { type EventPlace, eventBase, keyOf, type PullFacts, toEvent } from './map.ts';
import type { PullName } from './names.ts';
import type { Happening, Review, Status } from './schema.ts';

/** A pull request as it was looked at. */
export interface Look extends EventPlace {
  readonly head: string;
}

/** What the host keeps of a pull request's past. */
export interface Past {
  readonly timeline: readonly Happening[];
  readonly reviews: readonly Review[];
  /** Of its head, the last of each context. */
  readonly statuses: readonly Status[];
}

const headPrefix = 'head:';

/**
 * The number of a head, which is the patch set's: Gitea counts no pushes, and forgets some of those that a forced one
 * replaces, so each head that is seen gets the next number and keeps it. A head that comes back is a new patch set:
 * numbers grow.
 */
export async function numberHead(journal: Journal, look: Look): Promise<Pick<PullFacts, 'patchset' | 'since'>> {
  const noticed = await journal.extend(journalName(look), (known) => freshHead(known, look));
  return { patchset: headsIn(noticed).length, since: lastHeadSince(noticed) };
}

/** The head that it was seen to have last. */
export async function lastHead(journal: Journal, name: PullName): Promise<string | undefined> {
  const known = await journal.extend(journalName({ name }), () => []);
  return headsIn(known).at(-1)?.key.slice(headPrefix.length);
}

/** All that happened to it, in the order in which it was noticed. */
export async function readHistory(
  journal: Journal,
  look: Look,
  { timeline, reviews, statuses }: Past,
): Promise<readonly TriggerEvent[]> {
  const noticed = await journal.extend(journalName(look), (known) => {
    const keys = new Set(known.map(({ key }) => key));
    const fresh = timeline.flatMap((happening): Noticed[] => {
      const key = keyOf(look, happening);
      const event = keys.has(key) ? null : toEvent(look, happening, reviews);
      return event === null ? [] : [{ key, event }];
    });
    const passed = passedIn(look, statuses).filter(({ key }) => !keys.has(key));
    return [...freshHead(known, look), ...fresh, ...passed];
  });
  return noticed.map(({ event }) => event);
}

/**
 * That all others' statuses are good may have been the last thing that was missing. They come one after the other: each time
 * that all which are there are good is another one.
 */
function passedIn(look: Look, statuses: readonly Status[]): readonly Noticed[] {
  const others = statuses.filter(({ context }) => !isOwnStatus(context));
  const isGood = ({ status }: Status) => status === 'success' || status === 'skipped';
  if (others.length === 0 || !others.every(isGood)) return [];
  const last = Math.max(...others.map(({ id }) => id));
  const event = { ...eventBase(look), action: 'passed', time: look.pull.updated_at ?? 0 };
  return [{ key: `passed:${look.head}:${last}`, event }];
}

function journalName({ name }: Pick<Look, 'name'>): string[] {
  return [...name.project.split('/'), String(name.number)];
}

function freshHead(known: readonly Noticed[], look: Look): readonly Noticed[] {
  const heads = headsIn(known);
  const key = `${headPrefix}${look.head}`;
  const { pull } = look;
  const since = pull.updated_at ?? undefined;
  if (heads.at(-1)?.key === key) return noticeSince(known, eventBase(look), since);
  const first = heads.length === 0;
  const event = {
    ...eventBase(look),
    action: first ? 'opened' : 'changed',
    patchset: heads.length + 1,
    ...(pull.user ? { account: { username: pull.user.login } } : {}),
    time: (first ? pull.created_at : pull.updated_at) ?? 0,
  };
  return [{ key, event, ...(since === undefined ? {} : { since }) }];
}
