import { randomUUID } from 'node:crypto';
import type { ReviewHost } from '../../activities/review/port.ts';
import { gateActor } from '../../pipelines/model/actor.ts';
import type { TakenOut } from '../operations.ts';

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
