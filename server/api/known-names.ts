import type { BuildResult, BuildSetResult } from '../../pipelines/model/job.ts';
import { shippedProject } from '../../pipelines/model/shipped.ts';
import type { ServerDeps } from '../deps.ts';
import type { BuildFilter } from '../port.ts';
import { unknownName } from './unknown-name.ts';

/** What builds and build sets come to. */
const results: Readonly<Record<BuildResult | BuildSetResult, true>> = {
  ...{ SUCCESS: true, FAILURE: true, SKIPPED: true, CANCELED: true, RETRY: true, RETRY_LIMIT: true },
  ...{ POST_FAILURE: true, TIMED_OUT: true, NODE_FAILURE: true, ABORTED: true, ERROR: true, DISK_FULL: true },
  ...{ MERGE_CONFLICT: true, SECRET_EXPOSURE: true, SNAPSHOT_FAILURE: true, MERGE_FAILURE: true },
  ...{ CONFIG_ERROR: true, NO_JOBS: true, DEQUEUED: true },
};

/**
 * For a list in which nothing was found: whether there is at all what it was narrowed by. A job may be one that a
 * change brings, and run in a moment.
 *
 * @throws `UnknownName`, which says what there is; `UnknownResult` for what no build ends with
 */
export async function requireKnown(deps: ServerDeps, filter: BuildFilter): Promise<void> {
  const layout = await deps.layout?.().catch(() => undefined);
  if (filter.result !== undefined && !Object.hasOwn(results, filter.result)) {
    throw Object.assign(unknownName('result', filter.result, Object.keys(results)), { name: 'UnknownResult' });
  }
  if (layout === undefined) return;
  const known = {
    pipeline: [...layout.pipelines.keys()],
    project: [...layout.projects.byName.keys()].filter((name) => name !== shippedProject),
  } as const;
  for (const [kind, names] of Object.entries(known)) {
    const name = filter[kind as keyof typeof known];
    if (name === undefined || names.includes(name)) continue;
    // What is configured no longer may have run.
    if ((await deps.store.listBuilds({ [kind]: name, limit: 1 })).length > 0) continue;
    if ((await deps.store.listBuildSets({ [kind]: name, limit: 1 })).length > 0) continue;
    throw unknownName(kind, name, names);
  }
}
