import type { Actor } from '../../../../pipelines/model/actor.ts';
import type { RefUpdate } from '../../../git/refs.ts';
import type { HostSettings } from '../client.ts';
import { changesPrefix } from '../refs.ts';
import type { Write } from '../store.ts';

/** One ref of a push, as git hands it to the hook. */
export interface Command {
  readonly ref: string;
  readonly old: string;
  readonly new: string;
}

/** Everything that planning a push needs to know. */
export interface PushContext {
  readonly settings: HostSettings;
  readonly project: string;
  readonly repo: string;
  readonly options: readonly string[];
  /** Who pushes, as the transport proves it: what commits and notes name counts for nothing. */
  readonly pusher: Actor;
  readonly time: number;
  /** Branches of the repository with their commits. */
  readonly heads: ReadonlyMap<string, string>;
  /** Refs below `refs/changes/`. */
  readonly changes: ReadonlyMap<string, string>;
  /** Takes a number for a change, the same one when the plan is made again. */
  readonly number: (changeId: string, branch: string) => Promise<number>;
}

/** What a command comes to: what is written, what git tells the pusher's git, and what it tells the pusher. */
export interface Plan {
  readonly writes: readonly Write[];
  readonly refs: readonly RefUpdate[];
  /** Refs that the pushed one stands for, with the new commits. */
  readonly made: readonly { readonly ref: string; readonly old: string | null; readonly commit: string }[];
  /** Numbers of the changes that are touched. */
  readonly numbers: readonly number[];
  readonly messages: readonly string[];
}

/** The change and patch set that a commit is, by commit. */
export function knownCommits(changes: PushContext['changes']): Map<string, { number: number; patchset: number }> {
  const known = new Map<string, { number: number; patchset: number }>();
  for (const [ref, commit] of changes) {
    const [, number, patchset] = ref.slice(changesPrefix.length).split('/');
    if (patchset !== 'meta') known.set(commit, { number: Number(number), patchset: Number(patchset) });
  }
  return known;
}
