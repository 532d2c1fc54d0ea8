import type { Change, TriggerEvent } from '../../pipelines/model/change.ts';
import type { ChangeHappening, ChangeHistory } from '../../pipelines/model/change-history.ts';
import { noteOn } from '../../pipelines/report/next-steps.ts';
import { type People, Refused, UnknownChange } from './people.ts';
import type { ReviewHost } from './port.ts';
import { whyNoChange } from './renamed.ts';

type Host = Pick<ReviewHost, 'connection' | 'readChange' | 'listOpenChanges' | 'readEvents' | 'nameNow'>;

/** People of a review system who act there and nowhere else: Sluice shows its changes, and says where to go. */
export function peopleElsewhere(host: Host): People {
  const read = async (name: string): Promise<Change> => {
    const change = await host.readChange(name);
    if (change === null) throw new UnknownChange(await whyNoChange(host.nameNow, name));
    return change;
  };
  const refuse = (what: string, byGit: (commit: string) => string) => async (_actor: unknown, name: string) => {
    const { id, url, newrev = 'COMMIT' } = await read(name);
    const where = `at its review system, ${host.connection}: ${url ?? byGit(newrev)}`;
    throw new Refused(`${id} is ${what} ${where}`);
  };
  return {
    async list({ status }) {
      if (status !== undefined && status !== 'open') return [];
      return host.listOpenChanges();
    },
    read,
    async history(name) {
      const change = await read(name);
      const { events } = await host.readEvents(change.id, 0);
      return historyOf(change, events);
    },
    vote: refuse('voted on', (commit) => `${noteOn(commit, 'Approved: +1')} is a vote`),
    comment: refuse('commented on', (commit) => `${noteOn(commit, 'recheck')} is a comment`),
    abandon: refuse('abandoned', () => 'delete its branch there'),
    restore: refuse('restored', () => 'push its branch again'),
  };
}

function historyOf({ status, newrev = '', url, owner }: Change, events: readonly TriggerEvent[]): ChangeHistory {
  return {
    commit: newrev,
    merged: status === 'merged' && newrev !== '' ? newrev : null,
    // A host without pages is plain Git.
    ...(url === undefined ? { notesOn: newrev } : { elsewhere: url }),
    bases: [],
    happenings: events.flatMap((event) => toHappening(event, owner)),
  };
}

/** What the events of hosts come to, by their type, or by their action where one type covers several. */
const kinds: Readonly<Record<string, ChangeHappening['type']>> = {
  'patchset-created': 'patchset',
  opened: 'patchset',
  changed: 'patchset',
  'comment-added': 'comment',
  comment: 'comment',
  report: 'comment',
  'change-abandoned': 'abandoned',
  closed: 'abandoned',
  'change-restored': 'restored',
  reopened: 'restored',
  'change-merged': 'merged',
  merged: 'merged',
};

/** @param owner whose a patch set is that nobody says who pushed */
function toHappening({ type, action = '', pipeline, ...event }: TriggerEvent, owner: string): ChangeHappening[] {
  const kind = kinds[type] ?? kinds[action];
  if (kind === undefined) return [];
  const { time, patchset = 0, comment = null, approvals = [], account } = event;
  const votes = approvals.filter(({ value, oldValue }) => value !== oldValue);
  return [
    {
      ...{ type: kind, time, by: account?.username ?? (kind === 'patchset' ? owner : ''), patchset, text: comment },
      votes: votes.map(({ label, value }) => ({ label, value })),
      report: type === 'report' && pipeline !== undefined ? { pipeline, action } : null,
    },
  ];
}
