import type { Context } from '@temporalio/activity';

/** What an activity's signs of life carry, from one attempt to the next. */
export interface Progress {
  /** Attempts that ended by a fault of their own; one whose worker was killed or stopped is none. */
  readonly faults: number;
  /** What it is at. */
  readonly at?: string;
}

type Alive = Pick<Context, 'info' | 'heartbeat'>;

const told = new WeakMap<Alive['info'], Progress>();

/** What was told last, by this attempt or the one before it. */
export function progressOf({ info }: Pick<Alive, 'info'>): Progress {
  const before: Partial<Progress> | undefined = info.heartbeatDetails;
  return told.get(info) ?? { faults: typeof before?.faults === 'number' ? before.faults : 0 };
}

/** Tells Temporal, and with every later sign of life again. */
export function tellProgress(context: Alive, news: Partial<Progress>): void {
  const progress = { ...progressOf(context), ...news };
  told.set(context.info, progress);
  context.heartbeat(progress);
}
