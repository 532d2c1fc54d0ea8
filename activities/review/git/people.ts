import type { Change } from '../../../pipelines/model/change.ts';
import { findOne, type HostSettings, listAll, modify, resolveChange } from './host.ts';
import { abandon, comment, restore } from './record.ts';

/** What people do to changes besides pushing. Every function throws `Refused` with what to do instead. */
export interface People {
  list(filter: { readonly status?: Change['status'] }): Promise<readonly Change[]>;
  /** @throws when the name names none, or more than one. */
  read(change: string): Promise<Change>;
  vote(change: string, vote: { readonly label: string; readonly value: number; readonly by: string }): Promise<void>;
  comment(change: string, said: { readonly text: string; readonly by: string }): Promise<void>;
  abandon(change: string, by: string): Promise<void>;
  restore(change: string, by: string): Promise<void>;
}

export function createPeople(settings: HostSettings): People {
  return {
    async list({ status }) {
      const all = await listAll(settings);
      const wanted = all.filter(({ record }) => status === undefined || record.status === status);
      return Promise.all(wanted.map(({ record }) => resolveChange(settings, record)));
    },
    async read(change) {
      return resolveChange(settings, (await findOne(settings, change)).record);
    },
    async vote(change, { label, value, by }) {
      const opinion = { by: person(by), time: Date.now(), comment: null, votes: { [label]: value } };
      await modify(settings, await findOne(settings, change), ({ record }) => ({ entry: comment(record, opinion) }));
    },
    async comment(change, { text, by }) {
      const opinion = { by: person(by), time: Date.now(), comment: text, votes: {} };
      await modify(settings, await findOne(settings, change), ({ record }) => ({ entry: comment(record, opinion) }));
    },
    async abandon(change, by) {
      await modify(settings, await findOne(settings, change), ({ record }) => ({
        entry: abandon(record, person(by), Date.now()),
      }));
    },
    async restore(change, by) {
      await modify(settings, await findOne(settings, change), ({ record }) => ({
        entry: restore(record, person(by), Date.now()),
      }));
    },
  };
}

/** `NAME <EMAIL>` or a name alone. */
function person(by: string): { name: string; email: string } {
  const [, name, email] = /^\s*([^<>]*?)\s*<([^<>]*)>\s*$/.exec(by) ?? [];
  return name === undefined || email === undefined ? { name: by, email: '' } : { name, email };
}
