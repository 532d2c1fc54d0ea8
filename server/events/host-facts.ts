import type { Mergeability } from '../../activities/review/port.ts';
import { type Layout, layoutPipelines } from '../../pipelines/language/language.ts';
import type { Change } from '../../pipelines/model/change.ts';

/** What a host may say to be missing, as gates keep it: sentences, in characters and in number. */
const longest = 200;
const most = 5;

/**
 * The labels, checks and statuses that Sluice gives changes of a connection: that these are missing is nobody's fault
 * before a pipeline has run.
 */
export function ownMarks(layout: Layout, connection: string): readonly string[] {
  const marks = layoutPipelines(layout).flatMap(({ name, reporters }) => {
    const bodies = Object.values(reporters)
      .flat()
      .filter((rule) => rule.connection === connection)
      .map(({ body }) => body);
    const labels = bodies.flatMap((body) => Object.keys(body).filter((key) => typeof body[key] === 'number'));
    const checks = bodies.some(({ check, status }) => check !== undefined || status !== undefined);
    return [...labels, ...(checks ? [`sluice/${name}`] : [])];
  });
  return [...new Set(marks)];
}

/** A host, asked of one change. */
interface Asked {
  readonly canMerge: (own: readonly string[]) => Promise<Mergeability>;
  readonly readChange: () => Promise<Change | null>;
}

/** A change with what its host says is missing for a merge; what is not open is past that. */
export async function withMissing(host: Asked, change: Change, own: readonly string[]): Promise<Change> {
  if (change.kind !== 'change' || change.status !== 'open') return change;
  const answer = await host.canMerge(own);
  if (answer.ok) return { ...change, missing: [] };
  // Between the two questions it may have merged: that it is no longer open is nothing that it lacks.
  const now = answer.isOpen ? null : await host.readChange();
  if (now !== null && now.status !== 'open' && now.key === change.key) {
    const { status, mergeable, oldrev, newrev } = now;
    return {
      ...change,
      status,
      mergeable,
      ...(oldrev === undefined ? {} : { oldrev }),
      ...(newrev === undefined ? {} : { newrev }),
    };
  }
  return { ...change, missing: answer.missing.slice(0, most).map((one) => one.slice(0, longest)) };
}
