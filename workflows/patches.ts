import { patched } from '@temporalio/workflow';
import type { JobStart } from './contract.ts';

/**
 * Changes to what workflows command, for executions that began before: Temporal plays their histories again, and they
 * must give the same commands. A patch is named here with its day and its reason. It can go, with the old way that
 * it keeps, when no installation has an execution any more that began before that day.
 */
const patches = {
  'build-set-ends': {
    since: '2026-11-27',
    because:
      'a build set waited for ever for jobs that had been cancelled, and its words to the gate overtook each other',
  },
  'gate-lives': {
    since: '2026-11-27',
    because:
      'ids of build sets name the life of their gate, words to one follow each other, activities take a bounded number ' +
      'of actions, and the memory is handed on without an activity',
  },
  'gate-holds': {
    since: '2026-11-27',
    because:
      'a retrigger that was answered with ok was lost when the item had its verdict before its build set had heard, and ' +
      'a build set that could not be started was left at that, and so was what had merged of an item; from here on build sets are told their edition',
  },
  'gate-keeps-merged': {
    since: '2026-11-28',
    because:
      'a job that began after a change ahead had merged, and before that was released where its build set looks, was ' +
      'tried without the packages of that change',
  },
  'gate-stacks-on-merging': {
    since: '2026-11-28',
    because:
      'what came in while something merged was not prepared before nothing did: in a busy queue, half of it at a time',
  },
  'gate-merges-together': {
    since: '2026-11-28',
    because:
      'items that were all done were merged one by one, each with an activity and questions to the host of its own',
  },
  'gate-shows-seldom': {
    since: '2026-11-28',
    because:
      'a queue of twenty was shown at each step of each of them, and each time its workflow task waited for that',
  },
  'gate-shows-changes': {
    since: '2026-11-29',
    because: 'a queue was shown again where nothing that is shown had changed, and its timer was set anew at each step',
  },
  'gate-by-turn': {
    since: '2026-11-30',
    because:
      'a queue that was asked for while it was being shown went on by a time and a length of history that are others when ' +
      'the history is played again',
  },
  'ready-by-turn': {
    since: '2026-11-30',
    because: 'a request that was refused could make nodes be replaced that had got too old, and no history said why',
  },
  'entities-by-turn': {
    since: '2026-11-30',
    because:
      'an entity of nodes or of semaphores that was asked while it learned what it held, in a new run or a later life, ' +
      'answered in another order than when the history is played again, and stopped for good',
  },
  'gate-starts-late': {
    since: '2026-11-28',
    because: 'each change had a message that its jobs had begun, also those that were over at once',
  },
  'gate-drops-starts': {
    since: '2026-11-29',
    because:
      'an item whose jobs were over at once, and which then waited for those ahead of it, had a message that they begin, ' +
      'and none when they began again for minutes',
  },
  'release-branches': {
    since: '2026-11-28',
    because:
      'a commit that was released from a second branch, into a line of its own, took the place of its first release',
  },
  'release-lines': {
    since: '2026-11-28',
    because:
      'a commit that was released into a second line, after the rules had changed, took the place of its first release',
  },
  'revert-without-refused': {
    since: '2026-11-29',
    because:
      'what the signer, or the publisher at the end, refused to bring back kept what was taken back in its place',
  },
  'semaphores-after-nodes': {
    since: '2026-11-29',
    because:
      'a semaphore with `resources-first` was held while the job waited for its nodes: others waited for nothing',
  },
  'semaphores-recall': {
    since: '2026-11-27',
    because: 'the same of semaphores: a later life granted again what jobs of an earlier one held',
  },
  'entity-resets': {
    since: '2026-11-27',
    because:
      'entities of nodes and of semaphores that were reset lent again what jobs held, until they looked; each reset ' +
      'that they notice is a patch of its own besides, `reset-1` and so on: see resets.ts',
  },
  'nodes-recall': {
    since: '2026-11-27',
    because: 'an entity of nodes that was terminated forgot its leases; a later life asks all jobs before it lends',
  },
} as const satisfies Readonly<Record<string, { readonly since: string; readonly because: string }>>;

/**
 * The same for build sets, of which there are many, by a number in their input: a patch costs each of them a marker and
 * a search attribute. An input without one was given before there were numbers.
 *
 * - 2 (2026-11-27): what `build-set-ends` says; what used the results of a job that runs again runs again, too; and
 *   the gate hears what comes of each retrigger that it sends.
 * - 3 (2026-11-27): a job that people run again at a build set whose jobs have all ended is asked for at the gate, which may
 *   have judged the item already.
 * - 4 (2026-11-30): one that was asked how it stands while it began heard what its gate said meanwhile before it started
 *   jobs, and after that when its history is played again, and stopped.
 */
export const buildSetEdition = 4;

export type Patch = keyof typeof patches;

/** Whether the execution goes the new way: false where its history went the old one. */
export function has(patch: Patch): boolean {
  return patched(patch);
}

/** The same for a job that has begun: see `jobEdition`. */
export function jobHas({ edition = 1 }: Pick<JobStart, 'edition'>, patch: Patch): boolean {
  return edition >= 2 || patched(patch);
}
