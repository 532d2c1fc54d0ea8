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
