import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import type { Journal, Noticed } from '../journal.ts';
import { isOwnStatus, reportKey, saidIn, withoutMark } from '../mark.ts';
import { eventBase, isGood, type RequestFacts, readSystemNote, type Said } from './map.ts';
import type { Site } from './names.ts';
import type { LabelEvent, MergeRequest, Note, StateEvent, Status } from './schema.ts';

/** What the host keeps of a merge request's past. */
export interface Past {
  readonly notes: readonly Note[];
  readonly labels: readonly LabelEvent[];
  readonly states: readonly StateEvent[];
  /** Of its head. */
  readonly statuses: readonly Status[];
}

export interface Look {
  readonly site: Site;
  readonly facts: RequestFacts;
  /** Sluice's account there. */
  readonly self: string;
}

/**
 * All that happened to it, in the order in which it was noticed: GitLab keeps it in several lists, and what somebody
 * removes from one of them has happened all the same.
 */
export async function readHistory(journal: Journal, look: Look, past: Past): Promise<readonly TriggerEvent[]> {
  const { project, number } = look.facts.name;
  const all = happenings(look, past);
  const noticed = await journal.extend([...project.split('/'), String(number)], (known) => {
    const keys = new Set(known.map(({ key }) => key));
    return all.filter(({ key }) => !keys.has(key));
  });
  return noticed.map(({ event }) => event);
}

interface Happening {
  readonly key: string;
  readonly time: number;
  readonly by: string | undefined;
  readonly said: Said & Partial<TriggerEvent>;
}

/** In order of time; of one moment, heads go before what is said of them. */
export function happenings(look: Look, past: Past): readonly Noticed[] {
  const { site, facts, self } = look;
  const all = [
    ...headsIn(facts),
    ...past.notes.flatMap((note) => ofNote(note, self)),
    ...past.labels.map(ofLabel),
    ...past.states.flatMap(ofState),
    ...ofPipeline(facts.request, past.statuses),
  ];
  return all
    .toSorted((a, b) => a.time - b.time)
    .map(({ key, time, by, said: { action = '', ...rest } }) => {
      const own = by === self && !ownDeeds.includes(action);
      const type = own ? { type: 'report', ...('pipeline' in rest ? { action } : {}) } : { action };
      const account = by === undefined ? {} : { account: { username: by } };
      return { key, event: { ...eventBase(site, facts), ...type, ...rest, ...account, time } };
    });
}

/** What Sluice does there is no report, which no trigger can name: a merge is a merge whoever merges. */
const ownDeeds: readonly string[] = ['opened', 'changed', 'merged', 'closed', 'reopened'];

function headsIn({ heads, request }: RequestFacts): Happening[] {
  return heads.map(({ commit, time }, index) => ({
    key: `head:${index + 1}:${commit}`,
    time: index === 0 ? Math.min(time, request.created_at) : time,
    by: request.author?.username,
    said: { action: index === 0 ? 'opened' : 'changed', patchset: index + 1, newrev: commit },
  }));
}

function ofNote({ id, system, body, author, created_at: time, updated_at: written }: Note, self: string): Happening[] {
  const by = author?.username;
  if (by === self && !system) {
    const { time: saidAt, ...said } = saidIn(body, { time, written });
    return [{ key: `note:${id}${reportKey(body)}`, time: saidAt, by, said }];
  }
  const said = system ? readSystemNote(body) : { action: 'comment', comment: withoutMark(body) };
  return said === null ? [] : [{ key: `note:${id}`, time, by, said }];
}

function ofLabel({ id, action, label, user, created_at: time }: LabelEvent): Happening {
  const names = label ? [label.name] : [];
  const said = action === 'remove' ? { action: 'unlabeled', unlabels: names } : { action: 'labeled', labels: names };
  return { key: `label:${id}`, time, by: user?.username, said };
}

const deeds: ReadonlyMap<string, string> = new Map([
  ['closed', 'closed'],
  ['reopened', 'reopened'],
  ['merged', 'merged'],
]);

function ofState({ id, state, user, created_at: time }: StateEvent): Happening[] {
  const action = deeds.get(state);
  return action === undefined ? [] : [{ key: `state:${id}`, time, by: user?.username, said: { action } }];
}

/**
 * That others' part of its pipeline has passed may have been the last thing that was missing. Statuses join a pipeline
 * one after the other: each time that all which are there are good is another one.
 */
function ofPipeline(
  { head_pipeline: pipeline, updated_at: time }: MergeRequest,
  statuses: readonly Status[],
): Happening[] {
  const others = statuses.filter(({ name }) => !isOwnStatus(name));
  if (!pipeline || others.length === 0 || !others.every(isGood)) return [];
  const last = Math.max(...others.map(({ id }) => id));
  return [{ key: `pipeline:${pipeline.id}:${last}`, time, by: undefined, said: { action: 'passed' } }];
}
