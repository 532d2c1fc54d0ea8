import { counted } from '../model/words.ts';
import type { ChangeKnown, NeededChange } from './change-known.ts';
import { type ChangeStory, changeStory } from './change-story.ts';
import { failingIn, type PlaceInQueue } from './place-story.ts';

/** A change as a queue has it: nobody asked its host. */
export interface QueuedChange {
  readonly change: Omit<ChangeKnown['change'], 'status' | 'votes'>;
  readonly place: PlaceInQueue;
  readonly needs: readonly NeededChange[];
  readonly undelivered: ChangeKnown['undelivered'];
}

/** Why a change waits in a queue. What it takes its host to know, the story of the change alone tells. */
export function storyInQueue({ change, place, needs, undelivered }: QueuedChange): ChangeStory {
  const history = { merged: null, happenings: [], bases: [] };
  const asked = { change: { ...change, status: 'open' as const, votes: [] }, history, builds: [], obstacles: [] };
  const story = changeStory({ ...asked, places: [place], needs, undelivered });
  if (!change.wip && failingIn(place).length === 0) return story;
  const isProposed = change.patchset > 0;
  return { ...story, next: isProposed ? [`\`sluice excuses ${change.id}\` says what can be done.`] : [] };
}

/** Whether an open change that no queue holds has set anything off: something was said of its patch set, or is in its way. */
export function isConcerned({ change, history, obstacles, undelivered, builds }: ChangeKnown): boolean {
  const { patchset } = change;
  const said = history.happenings.some((one) => one.report !== null && one.patchset === patchset);
  const built = builds.some((one) => one.patchset === patchset);
  return said || built || obstacles.length > 0 || undelivered.length > 0 || isVotedFor(change);
}

/** Whether somebody is for it: of `Verified` it is Sluice that has a say. */
export function isVotedFor({ votes }: Pick<ChangeKnown['change'], 'votes'>): boolean {
  return votes.some(({ label, value }) => label !== 'Verified' && value > 0);
}

/** That a queue is longer than what is told of it. */
export function leftBehind(name: string, rest: number, limit: number): string {
  return `${name}: ${counted(rest, 'item')} behind. \`--limit ${limit}\` tells of more.`;
}

/** That more changes are in no queue than were looked into. */
export function leftIdle(rest: number, limit: number): string {
  const count = counted(rest, 'more open change');
  return `${count} in no queue. \`--limit ${limit}\` looks into more, \`sluice excuses CHANGE\` into one.`;
}

/** That a review system did not say what became of its changes. */
export function leftUnasked(connection: string, count: number, reason: string): string {
  return `${counted(count, 'change')} of ${connection} in no queue, as it could not be asked: ${reason}`;
}

/** That it is not known which changes are open. */
export function leftUnlisted(reason: string): string {
  return `Changes in no queue: the open changes could not be listed: ${reason}`;
}
