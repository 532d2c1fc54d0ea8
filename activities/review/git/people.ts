import type { Actor } from '../../../pipelines/model/actor.ts';
import type { Change } from '../../../pipelines/model/change.ts';
import type { ChangeHistory } from '../../../pipelines/model/change-history.ts';
import { type NamedConnection, placesOf } from '../../../pipelines/model/change-name.ts';
import { demand, type Operation } from '../../../pipelines/policy/access.ts';
import { repositoryPath, show } from '../../git/names.ts';
import { readBases } from './bases.ts';
import { type Decision, findOne, type HostSettings, listAll, modify, resolveChange, UnknownChange } from './host.ts';
import { toHistory } from './map.ts';
import { abandon, comment, restore } from './record.ts';
import { type ChangeRecord, personOf } from './schema.ts';
import { readEvents } from './store.ts';

/**
 * What people do to changes besides pushing. Every function throws `Refused` with what to do instead, `Denied` for
 * what the actor may not do, and `UnknownChange` when the name names none, or more than one.
 */
export interface People {
  list(filter: { readonly status?: Change['status'] }): Promise<readonly Change[]>;
  read(change: string): Promise<Change>;
  /** All that happened to it, oldest first, and its commit. */
  history(change: string): Promise<ChangeHistory>;
  vote(actor: Actor, change: string, vote: { readonly label: string; readonly value: number }): Promise<void>;
  comment(actor: Actor, change: string, text: string): Promise<void>;
  abandon(actor: Actor, change: string): Promise<void>;
  restore(actor: Actor, change: string): Promise<void>;
}

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

/** A connection with what people do there. */
export interface PeopledConnection extends NamedConnection {
  readonly people: People;
}

/** People of several connections as one: a name is looked for wherever it may be. */
export function joinPeople(connections: readonly PeopledConnection[]): People {
  const all = connections.map(({ people }) => people);
  const find = async (name: string): Promise<{ readonly people: People; readonly change: Change }> => {
    const places = placesOf(name, connections);
    const found = await Promise.all(
      places.map((place) => {
        const { people } = connections.find((each) => each.name === place.connection) as PeopledConnection;
        return findIn(people, place.name);
      }),
    );
    const [first, ...more] = found.flatMap((each) => each ?? []);
    if (first === undefined) throw new UnknownChange(`there is no change ${show(name)}`);
    if (more.length === 0) return first;
    const ids = [first, ...more].map(({ change }) => change.id);
    throw new UnknownChange(`${show(name)} names several changes: ${ids.join(', ')}; say which`, true);
  };
  return {
    list: async (filter) => (await Promise.all(all.map((people) => people.list(filter)))).flat(),
    read: async (name) => (await find(name)).change,
    async history(name) {
      const { people, change } = await find(name);
      return people.history(change.id);
    },
    async vote(actor, name, vote) {
      const { people, change } = await find(name);
      await people.vote(actor, change.id, vote);
    },
    async comment(actor, name, text) {
      const { people, change } = await find(name);
      await people.comment(actor, change.id, text);
    },
    async abandon(actor, name) {
      const { people, change } = await find(name);
      await people.abandon(actor, change.id);
    },
    async restore(actor, name) {
      const { people, change } = await find(name);
      await people.restore(actor, change.id);
    },
  };
}

async function findIn(people: People, name: string) {
  try {
    return { people, change: await people.read(name) };
  } catch (error) {
    // One that several have by this name is not unknown: the others' answers cannot make it clearer.
    if (error instanceof UnknownChange && !error.ambiguous) return null;
    throw error;
  }
}

type Decide = (record: ChangeRecord) => Decision;
