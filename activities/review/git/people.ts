import type { Actor } from '../../../pipelines/model/actor.ts';
import { demand, type Operation } from '../../../pipelines/policy/access.ts';
import { repositoryPath } from '../../git/names.ts';
import type { People } from '../people.ts';
import { readBases } from './bases.ts';
import { type Decision, findOne, type HostSettings, listAll, modify, resolveChange } from './client.ts';
import { toHistory } from './map.ts';
import { abandon, comment, restore } from './record.ts';
import { type ChangeRecord, personOf } from './schema.ts';
import { readEvents } from './store.ts';

/** What people do on the plain-Git host. */
export function createPeople(settings: HostSettings): People {
  const act = async (actor: Actor, operation: Operation, name: string, decide: Decide) => {
    demand(actor, operation, { name });
    await modify(settings, await findOne(settings, name), ({ record }) => decide(record));
  };
  return {
    async list({ status }) {
      const all = await listAll(settings);
      const wanted = all.filter(({ record }) => status === undefined || record.status === status);
      return Promise.all(wanted.map(({ record }) => resolveChange(settings, record)));
    },
    async read(change) {
      return resolveChange(settings, (await findOne(settings, change)).record);
    },
    async history(change) {
      const stored = await findOne(settings, change);
      const events = await readEvents(repositoryPath(settings.root, stored.record.project), stored, 0);
      return toHistory(stored.record, events, await readBases(settings, stored.record));
    },
    vote: (actor, change, { label, value }) =>
      act(actor, 'vote', change, (record) => {
        const opinion = { by: personOf(actor), time: Date.now(), comment: null, votes: { [label]: value } };
        return { entry: comment(record, opinion) };
      }),
    comment: (actor, change, text) =>
      act(actor, 'comment', change, (record) => {
        return { entry: comment(record, { by: personOf(actor), time: Date.now(), comment: text, votes: {} }) };
      }),
    abandon: (actor, change) =>
      act(actor, 'abandon', change, (record) => ({ entry: abandon(record, personOf(actor), Date.now()) })),
    restore: (actor, change) =>
      act(actor, 'restore', change, (record) => ({ entry: restore(record, personOf(actor), Date.now()) })),
  };
}

type Decide = (record: ChangeRecord) => Decision;
