import type { ServerDeps } from '../deps.ts';

/**
 * The id of a change by any of its names: `5`, `git:5`, `tinycdb/5`, a Change-Id, the address of its page. A branch or
 * a tag that was worked on has its id alone.
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
    if (await isWorkedOn(store, name)) return name;
    throw error;
  }
}

async function isWorkedOn(store: ServerDeps['store'], id: string): Promise<boolean> {
  const [builds, queues] = await Promise.all([store.listBuilds({ change: id, limit: 1 }), store.listQueues()]);
  return (
    builds.length > 0 || queues.some(({ items }) => items.some((item) => item.changes.some((one) => one.id === id)))
  );
}
