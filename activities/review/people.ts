import type { Actor } from '../../pipelines/model/actor.ts';
import type { Change } from '../../pipelines/model/change.ts';
import type { ChangeHistory } from '../../pipelines/model/change-history.ts';
import { type NamedConnection, placesOf } from '../../pipelines/model/change-name.ts';
import { show } from '../git/names.ts';
import { foundIn } from './port.ts';

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

/** Something that cannot be done to a change in its present state; the message says what can. */
export class Refused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Refused';
  }
}

/** A name that names no change, or several. */
export class UnknownChange extends Error {
  readonly ambiguous: boolean;

  constructor(message: string, ambiguous = false) {
    super(message);
    this.name = 'UnknownChange';
    this.ambiguous = ambiguous;
  }
}

/** A connection with what people do there. */
export interface PeopledConnection extends NamedConnection {
  readonly people: People;
}

/** A name with a patch set, as `status` writes it: `git:1,2`. */
const withPatchset = /^(.+),(\d+)$/;

interface FoundChange {
  readonly people: People;
  readonly change: Change;
}

/**
 * People of several connections as one: a name is looked for wherever it may be. One with a patch set is good while that
 * is the newest: nobody votes on another than they named.
 */
export function joinPeople(connections: readonly PeopledConnection[]): People {
  const all = connections.map(({ people }) => people);
  const find = async (name: string): Promise<FoundChange> => {
    const [, plain, patchset] = withPatchset.exec(name) ?? [];
    const asGiven = await findNamed(name);
    if (asGiven !== undefined) return asGiven;
    const found = plain === undefined ? undefined : await findNamed(plain);
    if (found === undefined) throw new UnknownChange(`there is no change ${show(name)}`);
    const { id, patchset: newest } = found.change;
    if (newest === Number(patchset)) return found;
    throw new UnknownChange(`${id} is at patch set ${newest}, not ${patchset}: name the newest, or none`);
  };
  const findNamed = async (name: string): Promise<FoundChange | undefined> => {
    const places = placesOf(name, connections);
    const [first, ...more] = await foundIn(
      places.map((place) => {
        const { people } = connections.find((each) => each.name === place.connection) as PeopledConnection;
        return findIn(people, place.name);
      }),
    );
    if (first === undefined || more.length === 0) return first;
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
