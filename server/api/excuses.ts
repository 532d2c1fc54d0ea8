import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Change } from '../../pipelines/model/change.ts';
import { bounded } from '../../pipelines/model/words.ts';
import type { NeededChange } from '../../pipelines/report/change-known.ts';
import { type ChangeStory, changeStory } from '../../pipelines/report/change-story.ts';
import {
  isConcerned,
  isVotedFor,
  leftBehind,
  leftIdle,
  leftUnasked,
  leftUnlisted,
  storyInQueue,
} from '../../pipelines/report/excuses.ts';
import type { ItemSnapshot, QueueSnapshot } from '../../workflows/contract.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { placeOf, readKnown, undeliveredIn } from './change-show.ts';
import { most } from './paging.ts';
import type { Excuse, Excuses } from './types.ts';
import { queuesNow } from './waits.ts';

/** Milliseconds that the list of open changes may take: a host that is away keeps nobody from the queues. */
const patience = 10_000;
/** Changes whose hosts are asked at the same time. */
const atOnce = 4;

const query = z.object({
  change: z.string().min(1).optional().describe('of this one alone'),
  limit: z.coerce.number().int().min(1).max(most).default(20).describe('of each queue, and of those in none'),
});

/** Open changes by their ids. */
type Open = ReadonlyMap<string, Change>;

/** Why changes wait. */
export function registerExcuses(app: App, deps: ServerDeps): void {
  const schema = { summary: 'Why changes wait: those in queues, and open ones in none', querystring: query };
  app.get('/api/excuses', { schema }, async (request): Promise<Excuses> => {
    const { change, limit } = request.query;
    const told = change === undefined ? await readAll(deps, limit) : await readOne(deps, change);
    return { ...told, unheard: deps.unheard?.() ?? [] };
  });
}

type Told = Omit<Excuses, 'unheard'>;

async function readAll(deps: ServerDeps, limit: number): Promise<Told> {
  const [found, listed, pipelines] = await Promise.all([
    queuesNow(deps),
    listOpen(deps),
    // A configuration that cannot be read now is told elsewhere.
    deps.pipelines?.().catch(() => []),
  ]);
  const queues = inOrder(
    found,
    (pipelines ?? []).map(({ name }) => name),
  );
  const open = new Map(listed.changes.map((change) => [change.id, change]));
  const idle = await readIdle(deps, { queues, open, limit });
  return {
    excuses: [...queues.flatMap((queue) => queueExcuses(queue, open, limit)), ...idle.excuses],
    leftOut: [...queues.flatMap((queue) => behind(queue, limit)), ...listed.leftOut, ...idle.leftOut],
  };
}

/** Queues by their pipelines, in the order of the configuration; as they come where it has none of them. */
function inOrder(queues: readonly QueueSnapshot[], pipelines: readonly string[]): readonly QueueSnapshot[] {
  const places = new Map(
    [...new Set([...pipelines, ...queues.map((one) => one.pipeline)])].map((name, at) => [name, at]),
  );
  return queues.toSorted((a, b) => (places.get(a.pipeline) ?? 0) - (places.get(b.pipeline) ?? 0));
}

function behind({ pipeline, queue, items }: QueueSnapshot, limit: number): readonly string[] {
  const rest = items.length - limit;
  return rest > 0 ? [leftBehind(`${pipeline} ${queue}`, rest, Math.min(items.length, most))] : [];
}

/** Why the first items of a queue wait, without a question to any host. */
function queueExcuses(queue: QueueSnapshot, open: Open, limit: number): readonly Excuse[] {
  return queue.items.slice(0, limit).flatMap((item) => itemExcuse(queue, item, open));
}

function itemExcuse(queue: QueueSnapshot, item: ItemSnapshot, open: Open): readonly Excuse[] {
  const [first] = item.changes;
  if (first === undefined) return [];
  const { id, project, branch, patchset } = first;
  const own = new Set(item.changes.map((change) => change.id));
  const needs = [...own].flatMap((each) => needsAmong(open, each)).filter((one) => !own.has(one.id));
  const story = storyInQueue({
    change: { id, project, branch, patchset, wip: item.changes.some(({ wip }) => wip === true) },
    place: placeOf(queue, item),
    needs,
    undelivered: undeliveredIn([queue], id),
  });
  return [{ changes: item.changes.map(named), pipeline: queue.pipeline, queue: queue.queue, ...story }];
}

/** What a change needs of what is open: of the rest its host would have to be asked. */
function needsAmong(open: Open, id: string): readonly NeededChange[] {
  const { parents = [], dependsOn = [] } = open.get(id) ?? {};
  return [...new Set([...parents, ...dependsOn])].flatMap((name) => {
    const found = open.get(name);
    return found === undefined ? [] : [{ id: found.id, subject: bounded(found.subject), status: found.status }];
  });
}

function named({ id, project, branch, patchset, subject }: Excuse['changes'][number]): Excuse['changes'][number] {
  return { id, project, branch, patchset, subject: bounded(subject) };
}

interface Scene {
  readonly queues: readonly QueueSnapshot[];
  readonly open: Open;
  readonly limit: number;
}

/** Of the open changes that no queue holds, why they are in none: of a few, as hosts are asked about each. */
async function readIdle(deps: ServerDeps, { queues, open, limit }: Scene): Promise<Told> {
  const held = new Set(queues.flatMap(({ items }) => items.flatMap(({ changes }) => changes.map(({ id }) => id))));
  // A host tells of all that it has.
  const gated = (await deps.layout?.().catch(() => undefined))?.projects.byName;
  const idle = [...open.values()]
    .filter(({ id, project }) => !held.has(id) && (gated?.has(project) ?? true))
    .toSorted(byPromise);
  const chosen = idle.slice(0, limit);
  const rest = idle.length - chosen.length;
  const told = await lookInto(deps, chosen, queues);
  return { ...told, leftOut: [...told.leftOut, ...(rest > 0 ? [leftIdle(rest, Math.min(idle.length, most))] : [])] };
}

/** First those that somebody is for, last those that are not ready; the newest first. */
function byPromise(a: Change, b: Change): number {
  const rank = (change: Change) => (change.wip ? 2 : isVotedFor(change) ? 0 : 1);
  return rank(a) - rank(b) || numbers.compare(b.id, a.id);
}

const numbers = new Intl.Collator('en', { numeric: true });

/** Asks hosts about changes, a few at a time; one that does not answer is not asked about the others. */
async function lookInto(deps: ServerDeps, changes: readonly Change[], queues: readonly QueueSnapshot[]): Promise<Told> {
  const excuses: Excuse[] = [];
  const away = new Map<string, { reason: string; count: number }>();
  for (let at = 0; at < changes.length; at += atOnce) {
    const group = changes.slice(at, at + atOnce).filter(({ connection }) => {
      const known = away.get(connection);
      if (known !== undefined) known.count += 1;
      return known === undefined;
    });
    const looks = await Promise.allSettled(group.map((change) => idleExcuse(deps, change, queues)));
    for (const [index, look] of looks.entries()) {
      const connection = group[index]?.connection ?? '';
      if (look.status === 'fulfilled') excuses.push(...look.value);
      else away.set(connection, { reason: wordsOf(look.reason), count: (away.get(connection)?.count ?? 0) + 1 });
    }
  }
  return { excuses, leftOut: [...away].map(([name, { count, reason }]) => leftUnasked(name, count, reason)) };
}

async function idleExcuse(
  deps: ServerDeps,
  change: Change,
  queues: readonly QueueSnapshot[],
): Promise<readonly Excuse[]> {
  try {
    const known = await readKnown(deps, change, queues);
    return isConcerned(known) ? [changeExcuse(change, null, changeStory(known))] : [];
  } catch (error) {
    // It may have gone since they were listed.
    if ((error as Error).name === 'UnknownChange') return [];
    throw error;
  }
}

function changeExcuse(change: Change, place: { pipeline: string; queue: string } | null, story: ChangeStory): Excuse {
  const { pipeline = null, queue = null } = place ?? {};
  return { changes: [named(change)], pipeline, queue, ...story };
}

/** Why one change waits, whatever it takes to know; a branch or a tag that queues hold, too. */
async function readOne(deps: ServerDeps, name: string): Promise<Told> {
  const queues = await queuesNow(deps);
  try {
    const change = await deps.changes.read(name);
    const known = await readKnown(deps, change, queues);
    return { excuses: [changeExcuse(change, known.places[0] ?? null, changeStory(known))], leftOut: [] };
  } catch (error) {
    if ((error as Error).name !== 'UnknownChange') throw error;
    const excuses = queues.flatMap((queue) =>
      queue.items
        .filter(({ changes }) => changes.some(({ id }) => id === name))
        .flatMap((item) => itemExcuse(queue, item, new Map())),
    );
    if (excuses.length === 0) throw error;
    return { excuses, leftOut: [] };
  }
}

async function listOpen({ changes }: ServerDeps): Promise<{ changes: readonly Change[]; leftOut: readonly string[] }> {
  const listed = changes.list({ status: 'open' }).then(
    (found) => ({ changes: found, leftOut: [] }),
    (error: unknown) => ({ changes: [], leftOut: [leftUnlisted(wordsOf(error))] }),
  );
  const late = { changes: [], leftOut: [leftUnlisted(`a review system takes longer than ${patience / 1000} s.`)] };
  return Promise.race([listed, sleep(patience, late, { ref: false })]);
}

function wordsOf(error: unknown): string {
  const { message } = error as Error;
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
