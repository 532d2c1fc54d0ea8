import { shownRef } from '../../pipelines/model/change-name.ts';
import type { ServerDeps } from '../deps.ts';

/** Builds among which the name that a list shows is looked for: as many as a list shows at most. */
const listed = 500;

/**
 * The id of a change by any of its names: `5`, `git:5`, `tinycdb/5`, a Change-Id, the address of its page. A branch or
 * a tag that was worked on has its id, and the name that lists show: `main @ 3fa9c2d`.
 *
 * @throws the error `UnknownChange` of the review systems when the name names none, or several.
 */
export async function resolveChange(
  { changes, store }: Pick<ServerDeps, 'changes' | 'store'>,
  name: string,
): Promise<string> {
  try {
    return (await changes.read(name)).id;
  } catch (error) {
    if ((error as Error).name !== 'UnknownChange') throw error;
    const [id, ...others] = await workedOn(store, name);
    if (id === undefined) throw error;
    if (others.length === 0) return id;
    const which = [id, ...others].sort().join(' or ');
    throw Object.assign(error as Error, { message: `${name} may be ${which}: give one of these` });
  }
}

/** Ids of branches and tags that go by a name, as far as they were worked on. */
async function workedOn(store: ServerDeps['store'], name: string): Promise<readonly string[]> {
  const [own, queues] = await Promise.all([store.listBuilds({ change: name, limit: 1 }), store.listQueues()]);
  const queued = queues.flatMap(({ items }) => items.flatMap((item) => item.changes.map((one) => one.id)));
  if (own.length > 0 || queued.includes(name)) return [name];
  const latest = await store.listBuilds({ limit: listed });
  const ids = new Set([...queued, ...latest.map(({ change }) => change)]);
  // Lists of builds have the number of a patch set behind it.
  const shown = name.replace(/,0$/, '');
  return [...ids].filter((id) => shownRef(id) === shown);
}
