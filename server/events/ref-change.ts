import type { Layouts } from '../../activities/layout/layouts.ts';
import type { Layout } from '../../pipelines/language/language.ts';
import { type Change, type TriggerEvent, unproposed } from '../../pipelines/model/change.ts';

/** The branch or tag that an event without a change is about, as gates hold it. */
export function refChange(event: TriggerEvent): Change {
  const { connection, project, ref = '', oldrev, newrev } = event;
  const kind = ref.startsWith('refs/tags/') ? 'tag' : 'branch';
  const branch = kind === 'tag' ? '' : (event.branch ?? ref.replace('refs/heads/', ''));
  const id = `${connection}:${project}:${ref}@${newrev ?? ''}`;
  return {
    ...unproposed,
    id,
    key: `${id},0`,
    kind,
    connection,
    project,
    branch,
    ref,
    ...(oldrev === undefined ? {} : { oldrev }),
    ...(newrev === undefined ? {} : { newrev }),
    subject: ref,
    owner: event.account?.username ?? '',
  };
}

/** Whether branches are elsewhere after an event: what is known of them is read anew. */
export function movesBranches({ type, action }: TriggerEvent): boolean {
  return (
    type === 'ref-updated' ||
    type === 'change-merged' ||
    /(^|_)push$/.test(type) ||
    action === 'merged' ||
    action === 'closed'
  );
}

/**
 * Whether a project is under the gate.
 *
 * @throws where it is, and its sources could not be had yet: what happened there must not be taken for handled
 */
export function isGated(layouts: Layouts, layout: Layout, project: string): boolean {
  if (layout.projects.byName.has(project)) return true;
  const reason = layouts.absent(project);
  if (reason === undefined) return false;
  throw new Error(`the sources of ${project} are not here yet: ${reason}`);
}

/** Whether an open change has a new patch set. */
export function isUploaded({ kind, status }: Change, events: readonly TriggerEvent[]): boolean {
  return kind === 'change' && status === 'open' && events.some(({ type }) => type === 'patchset-created');
}

/** What a pipeline tells of a change. */
export function eventOf(type: string, { project, branch, id, ref, patchset }: Change): Omit<TriggerEvent, 'time'> {
  return { type, driver: 'zuul', connection: 'zuul', project, branch, change: id, ref, patchset };
}
