import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import { entrants, entryObstacle } from '../../pipelines/gate/obstacle.ts';
import { type Layout, layoutPipelines } from '../../pipelines/language/language.ts';
import { type Change, changeReady, type TriggerEvent } from '../../pipelines/model/change.ts';
import type { Pipeline } from '../../pipelines/model/pipeline.ts';
import { listOf } from '../../pipelines/policy/pattern.ts';
import { requirementsMet } from '../../pipelines/policy/requirements.ts';
import { needsOf, proposesConfig, uses } from './closure.ts';
import type { EventLedger } from './ledger.ts';
import { type Happened, type Routed, takes, type View } from './route.ts';

/** A pipeline, and a patch set by its key. */
export interface Place {
  readonly pipeline: string;
  readonly key: string;
}

interface ReadinessDeps {
  readonly ledger: EventLedger;
  /** Whether a pipeline has worked on a patch set before that was noted; absent: never. */
  readonly hadBefore?: ((place: Place) => Promise<boolean>) | undefined;
}

/** The open changes of a connection, as its host lists them. */
interface Listed {
  readonly layout: Layout;
  readonly connection: string;
  readonly open: readonly ChangeFacts[];
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Milliseconds for which a change that nothing is told of counts as it was when it was looked at last. */
const period = 600_000;

/**
 * Which pipelines a change is ready for: by its state, whoever told of what was the last that was missing, or nobody. Each
 * patch set is once for each pipeline, so that after a failure there it takes somebody who wants it again.
 */
export function createReadiness({ ledger, hadBefore = async () => false }: ReadinessDeps) {
  const had = new Set<string>();
  const looked = new Map<string, number>();
  const isFirst = async (place: Place) => {
    const name = markOf(place);
    if (!(await ledger.wasTold(name))) {
      if (!(await hadBefore(place))) return true;
      await ledger.markTold(name);
    }
    had.add(name);
    return false;
  };
  return {
    /** Pipelines that the change could come into now, and has not been ready for before. */
    async find(view: View): Promise<readonly string[]> {
      const { layout, change, around, unready } = view;
      if (unready !== undefined || change.status !== 'open') return [];
      const time = Date.now();
      looked.set(change.id, time);
      const pipelines = layoutPipelines(layout);
      const found: string[] = [];
      for (const { name } of pipelines.filter((one) => waitsForReady(one, change) && takes(view, one.name))) {
        const place = { pipeline: name, key: change.key };
        if (had.has(markOf(place))) continue;
        const entering = { pipelines, changes: around, pipeline: name, change: change.key, time };
        if (entryObstacle(entering) === undefined && (await isFirst(place))) found.push(name);
      }
      return found;
    },
    /**
     * Notes that a change was brought into a pipeline, whatever brought it: what comes in with it has had its turn as well.
     * Nothing where the pipeline does not take it.
     */
    async note(view: View, pipeline: string): Promise<void> {
      for (const key of comingIn(view, pipeline)) {
        await ledger.markTold(markOf({ pipeline, key }));
        had.add(markOf({ pipeline, key }));
      }
    },
    /** Those of a connection's open changes that may be ready for something, and were not looked at for a while. */
    due({ layout, connection, open, time }: Listed): readonly Change[] {
      const byId = new Map(open.map((one) => [one.id, one]));
      for (const id of looked.keys()) if (id.startsWith(`${connection}:`) && !byId.has(id)) looked.delete(id);
      const waiting = (change: ChangeFacts) => (one: Pipeline) =>
        waitsForReady(one, change) &&
        !had.has(markOf({ pipeline: one.name, key: change.key })) &&
        requirementsMet(one, change, time).ok &&
        (uses(change, one.name) || needsOf(change, byId).some(proposesConfig));
      return open.filter(
        (change) => time - (looked.get(change.id) ?? 0) > period && layoutPipelines(layout).some(waiting(change)),
      );
    },
  };
}

/** Keys of the patch sets that come into a pipeline with a change, and would come in by being ready as well. */
function comingIn({ layout, change, around }: View, pipeline: string): readonly string[] {
  const pipelines = layoutPipelines(layout);
  const waits = (one: Change) => pipelines.some((each) => each.name === pipeline && waitsForReady(each, one));
  const waiting = new Set(around.filter(waits).map(({ key }) => key));
  if (waiting.size === 0) return [];
  const entering = { pipelines, changes: around, pipeline, change: change.key, time: Date.now() };
  return entrants(entering).filter((key) => waiting.has(key));
}

/**
 * Looks at what was read around a change, too: one of a stack is read with all of it.
 *
 * @returns ids of those that are ready for nothing now, whatever their own configuration would be
 */
export async function unreadyAround(
  { find }: { readonly find: (view: View) => Promise<readonly string[]> },
  view: View,
): Promise<readonly string[]> {
  const { layout, change, around, unready } = view;
  if (unready !== undefined) return [];
  const found: string[] = [];
  for (const one of around.filter(({ id }) => id !== change.id)) {
    const waiting = layoutPipelines(layout).filter((each) => waitsForReady(each, one));
    if (!waiting.every(({ name }) => uses(one, name))) continue;
    if ((await find({ ...view, change: one })).length === 0) found.push(one.id);
  }
  return found;
}

/** That a change is ready for a pipeline, as what happens to it is told. */
export function readyEvent(change: Change, pipeline: string): Happened {
  const { connection, project, branch, id, ref, patchset, key } = change;
  const time = Date.now();
  const place = { driver: 'sluice', connection, project, branch, change: id, ref, patchset, pipeline };
  const event: TriggerEvent = { type: changeReady, ...place, time };
  return { id: markOf({ pipeline, key }), event, time };
}

/** Whether some of what gates are told brings the change into a pipeline. */
export function brings(routed: readonly Routed[], pipeline: string): boolean {
  return routed.some(({ gate, starts }) => starts && gate.pipeline === pipeline);
}

/** Whether nothing that happens to the change brings it into the pipeline. */
export function waitsForReadyAlone(pipeline: Pipeline, change: Pick<Change, 'connection'>): boolean {
  const own = pipeline.triggers.filter(({ connection }) => connection === change.connection);
  return own.length > 0 && own.every(({ body }) => listOf(body.event).every((event) => event === changeReady));
}

function waitsForReady({ triggers }: Pipeline, { connection }: Pick<Change, 'connection'>): boolean {
  return triggers.some((rule) => rule.connection === connection && listOf(rule.body.event).includes(changeReady));
}

function markOf({ pipeline, key }: Place): string {
  return `ready/${JSON.stringify([pipeline, key])}`;
}
