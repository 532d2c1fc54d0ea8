import type { Change } from '../../pipelines/model/change.ts';
import { bounded } from '../../pipelines/model/words.ts';
import type { Act } from '../../pipelines/policy/act.ts';
import { actText, byHand } from '../../pipelines/report/acts.ts';
import type { NeededChange, Obstacle } from '../../pipelines/report/change-known.ts';
import { changeStory } from '../../pipelines/report/change-story.ts';
import type { PlaceInQueue } from '../../pipelines/report/place-story.ts';
import { absence } from '../../pipelines/report/sentences.ts';
import type { ItemSnapshot, QueueSnapshot } from '../../workflows/contract.ts';
import type { ServerDeps } from '../deps.ts';
import { actsOn } from './audit.ts';
import type { ChangeShown, ShownAct } from './types.ts';
import { readUnmirrored } from './unmirrored.ts';
import { buildRow, changeView } from './views.ts';
import { queuesNow } from './waits.ts';

/** How many builds of a change are shown. */
const mostBuilds = 200;

/**
 * A change with all that happened to it and why.
 *
 * @throws the error `UnknownChange` of the review systems when the name names none, or several
 */
export async function readChange(deps: ServerDeps, name: string): Promise<ChangeShown> {
  const change = await deps.changes.read(name);
  const [known, acts] = await Promise.all([
    queuesNow(deps).then((queues) => readKnown(deps, change, queues)),
    actsOn(deps, change.id),
  ]);
  const { needs, places, builds } = known;
  const { commit, happenings } = known.history;
  const fetch = `git fetch origin ${change.ref} && git switch --detach FETCH_HEAD`;
  return {
    change: changeView(change),
    ...{ commit, fetch, story: changeStory(known), needs, places, happenings },
    builds: builds.map(buildRow),
    acts: acts.map(shownAct).toReversed(),
    byHand: byHand(builds, acts),
  };
}

function shownAct({ time, by, operation, about }: Act): ShownAct {
  return { time, by: by.name, text: actText({ operation, about, changes: [] }) };
}

/** All that the story of a change is told from, as its host and the queues have it. */
export async function readKnown(deps: ServerDeps, change: Change, queues: readonly QueueSnapshot[]) {
  const [history, needs, builds, obstacles, unmirrored] = await Promise.all([
    deps.changes.history(change.id),
    readNeeds(deps, change),
    deps.store.listBuilds({ change: change.id, limit: mostBuilds }),
    change.status === 'open' ? deps.obstaclesOf?.(change.id) : [],
    change.status === 'merged' ? readUnmirrored(deps, change.id) : [],
  ]);
  return {
    ...{ change, history, needs, builds },
    places: queues.flatMap((queue) => placesIn(queue, change.id)),
    obstacles: [...absenceOf(deps, change), ...(obstacles ?? [])],
    undelivered: undeliveredIn(queues, change.id),
    unmirrored,
  };
}

/** That the host does not show the change's project by this name: what happens to it there is not heard. */
function absenceOf({ absent }: ServerDeps, { connection, project, status }: Change): readonly Obstacle[] {
  const gone = (absent?.() ?? []).find((one) => one.connection === connection && one.project === project);
  if (gone === undefined || status !== 'open') return [];
  return [{ pipeline: null, reason: absence(project, gone.now), latest: true }];
}

async function readNeeds({ changes }: ServerDeps, { parents, dependsOn }: Change): Promise<NeededChange[]> {
  return Promise.all(
    [...new Set([...parents, ...dependsOn])].map(async (id) => {
      const found = await changes.read(id).catch((error: Error) => {
        if (error.name === 'UnknownChange') return null;
        throw error;
      });
      return found === null
        ? { id, subject: '', status: 'unknown' as const }
        : { id: found.id, subject: bounded(found.subject), status: found.status };
    }),
  );
}

function placesIn(queue: QueueSnapshot, change: string): PlaceInQueue[] {
  return queue.items.flatMap((item) => (item.changes.some(({ id }) => id === change) ? [placeOf(queue, item)] : []));
}

/** Where an item of a queue is. */
export function placeOf({ pipeline, queue, window, items }: QueueSnapshot, item: ItemSnapshot): PlaceInQueue {
  const { active, state, reason, jobs } = item;
  const ahead: string[] = [];
  for (let below = item.ahead; below !== null; ) {
    const next = items.find(({ id }) => id === below);
    ahead.push(...(next?.changes ?? []).map(({ id, patchset }) => `${id},${patchset}`));
    below = next?.ahead ?? null;
  }
  const place = items.indexOf(item) + 1;
  return { ...{ pipeline, queue, window, active, state, reason, jobs, ahead }, place, length: items.length };
}

/** Reports on a change that could not be delivered. */
export function undeliveredIn(queues: readonly QueueSnapshot[], change: string) {
  return queues.flatMap(({ pipeline, undelivered = [] }) =>
    undelivered
      .filter(({ changes, kind }) => kind === 'report' && changes.some((key) => key.startsWith(`${change},`)))
      .map(({ reason }) => ({ pipeline, reason })),
  );
}
