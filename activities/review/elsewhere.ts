import type { Change } from '../../pipelines/model/change.ts';
import type { ChangeHistory } from '../../pipelines/model/change-history.ts';
import { show } from '../git/names.ts';
import { type People, Refused, UnknownChange } from './people.ts';
import type { ReviewHost } from './port.ts';

/** People of a review system who act there and nowhere else: Sluice shows its changes, and says where to go. */
export function peopleElsewhere(host: ReviewHost): People {
  const read = async (name: string): Promise<Change> => {
    const change = await host.readChange(name);
    if (change === null) throw new UnknownChange(`there is no change ${show(name)}`);
    return change;
  };
  const refuse = (what: string) => async (_actor: unknown, name: string) => {
    const { id, url } = await read(name);
    const where = url === undefined ? host.connection : `${host.connection}: ${url}`;
    throw new Refused(`${id} is ${what} at its review system, ${where}`);
  };
  return {
    async list({ status }) {
      if (status !== undefined && status !== 'open') return [];
      return host.listOpenChanges();
    },
    read,
    history: async (name) => historyOf(await read(name)),
    vote: refuse('voted on'),
    comment: refuse('commented on'),
    abandon: refuse('abandoned'),
    restore: refuse('restored'),
  };
}

/** What happened to it is read where it happened. */
function historyOf({ status, newrev = '' }: Change): ChangeHistory {
  return { commit: newrev, merged: status === 'merged' && newrev !== '' ? newrev : null, bases: [], happenings: [] };
}
