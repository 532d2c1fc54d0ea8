import { randomUUID } from 'node:crypto';
import type { ReviewHost } from '../../activities/review/port.ts';
import { layoutPipelines } from '../../pipelines/language/language.ts';
import { gateActor } from '../../pipelines/model/actor.ts';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { triggeringRule } from '../../pipelines/policy/triggers.ts';
import { isWish } from '../../pipelines/policy/wish.ts';
import type { TakenOut } from '../operations.ts';
import type { EventLedger } from './ledger.ts';
import type { Routed, View } from './route.ts';

/** Says at a change's host who took it out of a pipeline, without a vote. A branch or a tag hears nothing. */
export async function tellTakenOut(
  hostOf: (connection: string) => Pick<ReviewHost, 'report'> | undefined,
  { change, patchset, pipeline, by }: TakenOut,
): Promise<void> {
  const host = patchset > 0 ? hostOf(change.slice(0, change.indexOf(':'))) : undefined;
  const message = `Taken out of ${pipeline} by ${by}.`;
  const about = { pipeline, action: 'dequeue' };
  await host?.report(gateActor, { key: `taken-out/${randomUUID()}`, change, patchset, message, about, body: {} });
}

/** A patch set and a pipeline. */
interface Place {
  readonly pipeline: string;
  /** `ID,PATCHSET`. */
  readonly key: string;
}

/** Remembers which patch sets somebody has taken out of a pipeline, until somebody wants them there again. */
export function takenOutMarks(ledger: EventLedger) {
  // Marks stay for ever: each time that it is taken out has a number.
  const name = (what: 'out' | 'back', { pipeline, key }: Place, time: number) =>
    `taken-out/${JSON.stringify([pipeline, key, time, what])}`;
  const times = async (place: Place) => {
    let count = 0;
    while (await ledger.wasTold(name('out', place, count + 1))) count += 1;
    return count;
  };
  return {
    async note(place: Place): Promise<void> {
      await ledger.markTold(name('out', place, (await times(place)) + 1));
    },
    async isOut(place: Place): Promise<boolean> {
      const last = await times(place);
      return last > 0 && !(await ledger.wasTold(name('back', place, last)));
    },
    async forget(place: Place): Promise<void> {
      const last = await times(place);
      if (last > 0) await ledger.markTold(name('back', place, last));
    },
  };
}

interface Start {
  readonly view: Pick<View, 'layout' | 'change'>;
  readonly event: TriggerEvent;
  readonly routed: readonly Routed[];
}

/** Leaves out the pipelines that merge and that somebody has taken the patch set out of, unless the event is a wish. */
export async function withoutTakenOut(ledger: EventLedger, { view, event, routed }: Start): Promise<readonly Routed[]> {
  const marks = takenOutMarks(ledger);
  const kept = routed.map(async (one) => {
    const pipeline = layoutPipelines(view.layout).find(({ name }) => name === one.gate.pipeline);
    const rule = pipeline?.manager === 'dependent' ? triggeringRule(pipeline, event, view.change) : undefined;
    if (rule === undefined) return [one];
    const place = { pipeline: one.gate.pipeline, key: view.change.key };
    if (!isWish(rule, event)) return (await marks.isOut(place)) ? [] : [one];
    await marks.forget(place);
    return [one];
  });
  return (await Promise.all(kept)).flat();
}
